"""Sources: where rows come from.

Nothing enters but the options; `Splits` leaves: tables of cells, and which rows are train, val and test. Cells are the user's
own text (or typed, from Parquet and JSON lines), null where missing; a picture or a sound is a path or the encoded file itself.

Another source: a class with `tables() -> Splits`, an export here, `configs/source/<name>.yaml`, `tests/source/test_<name>.py`.
"""

from mmtrain.source.folder import FolderSource
from mmtrain.source.huggingface import HuggingfaceSource
from mmtrain.source.multi_mnist import MultiMNIST
from mmtrain.source.read import Format, as_table, read_table, row_ids
from mmtrain.source.scenes import Scenes
from mmtrain.source.splits import TEST, TRAIN, VAL, Source, Splits
from mmtrain.source.table import TableSource
from mmtrain.source.torchvision import TorchvisionSource

__all__ = [
    "TEST",
    "TRAIN",
    "VAL",
    "FolderSource",
    "Format",
    "HuggingfaceSource",
    "MultiMNIST",
    "Scenes",
    "Source",
    "Splits",
    "TableSource",
    "TorchvisionSource",
    "as_table",
    "read_table",
    "row_ids",
]
