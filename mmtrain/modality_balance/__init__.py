"""Modality balance: keep the modality that is learned sooner from leaving the others behind.

    ModalityBalance(modalities: Sequence[str], tasks: Mapping[str, TaskSpec], *, first_epoch=1, last_epoch=None, ...)
    single_views = True         class constant of a method that needs views of the single modalities beside `fused`

Epochs outside `first_epoch` to `last_epoch` (counted from 1, both included) are trained as if there were none. What the loop asks
of each method, and when, stands in `method.py`.

To add one: a class as there in `mmtrain/modality_balance/<name>.py`, its export here, `configs/modality_balance/<name>.yaml`, and a test.
"""

from mmtrain.modality_balance.method import Answer, ModalityBalance, Pass
from mmtrain.modality_balance.none import Nothing

__all__ = ["Answer", "ModalityBalance", "Nothing", "Pass"]
