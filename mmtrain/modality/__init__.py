"""Modalities: what a sample brings in, from the user's cells to what an encoder reads.

Enters: a `Table`, its train rows into `fit`, any rows into `encode`, which gives arrays for the store. Leaves: one of the input
kinds of `mmtrain.batch`, made on the host by `collate`, then on the device by calling the modality: bytes become pixels from
-1 to 1, samples a log-mel spectrogram.

Another modality: a class as `Modality` describes it, with its input kind in `mmtrain/batch.py` and its facts in
`mmtrain/spec.py`; an export here; `configs/modality/<name>.yaml`; `tests/modality/test_<name>.py`, and a line in `test_laws.py`.
"""

from mmtrain.modality.audio import AudioModality
from mmtrain.modality.image import ImageModality
from mmtrain.modality.protocol import Fixed, Modality, Ragged
from mmtrain.modality.series import SeriesModality
from mmtrain.modality.tabular import TabularModality
from mmtrain.modality.text import TextModality
from mmtrain.modality.vector import VectorModality
from mmtrain.modality.video import VideoModality

__all__ = [
    "AudioModality",
    "Fixed",
    "ImageModality",
    "Modality",
    "Ragged",
    "SeriesModality",
    "TabularModality",
    "TextModality",
    "VectorModality",
    "VideoModality",
]
