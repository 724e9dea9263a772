"""Mixing: train rows blended two by two, inputs and losses of all tasks alike.

    Mixing(specs: Mapping[str, Spec], *, ...)   an nn.Module; specs[m] says what modality m knows, as for its encoder
    forward(present {m: (B,) bool}) -> Mix | None

The model calls it once a training batch and lets the `Mix` blend pictures before their encoder, everything else as tokens behind it,
and the losses. A row is only mixed with one that has the same modalities, so that absent stays absent.

To add one: a class as above in `mmtrain/mixing/<name>.py`, its export here, `configs/mixing/<name>.yaml`, and a test.
"""

from mmtrain.mixing.cutmix import Cutmix
from mmtrain.mixing.mix import Mix
from mmtrain.mixing.mixup import Mixup
from mmtrain.mixing.none import Nothing

__all__ = ["Cutmix", "Mix", "Mixup", "Nothing"]
