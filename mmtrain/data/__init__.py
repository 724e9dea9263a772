"""Data: from tables of cells to batches.

Enters: a source, and the modalities and tasks that read its columns. Every part is fitted on train rows only; inputs are encoded
once into a store of memory-mapped arrays, named by all that they depend on (or, too large for one, when they are used), and
targets in memory. Leaves: a `Dataset` a split, whose `batch(rows)` is one gather a modality, and `batches` of them in any order.

Follow a row: `prepare` reads and fits, `cache` finds or builds its store (`encode`, `fingerprint`, `store`) or leaves it
to be decoded on the fly (`live`), `dataset` makes the batch.
"""

from mmtrain.data.cache import cache_folder, clear, size_of
from mmtrain.data.dataset import Dataset, batches
from mmtrain.data.fit import load_fitted
from mmtrain.data.prepare import Data, open_rows, prepare
from mmtrain.data.settings import Settings

__all__ = ["Data", "Dataset", "Settings", "batches", "cache_folder", "clear", "load_fitted", "open_rows", "prepare", "size_of"]
