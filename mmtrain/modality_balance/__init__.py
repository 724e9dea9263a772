"""Modality balance: keep the modality that is learned sooner from leaving the others behind.

    ModalityBalance(dims: Mapping[str, int], tasks: Mapping[str, TaskSpec], *, first_epoch=1, last_epoch=None, ...)
                                dims[m] is the width D of modality m's tokens
    single_views = True         class constant of a method that needs views of the single modalities beside `fused`
    one_process = True          class constant of a method that cannot train in several processes

Epochs outside `first_epoch` to `last_epoch` (counted from 1, both included) are trained as if there were none. What the loop asks
of each method, and when, stands in `method.py`.

To add one: a class as there in `mmtrain/modality_balance/<name>.py`, its export here, `configs/modality_balance/<name>.yaml`;
the laws in `tests/modality_balance/test_laws.py` then test it by themselves, its values need a `tests/modality_balance/test_<name>.py`.
"""

from mmtrain.modality_balance.agm import AGM
from mmtrain.modality_balance.blend import Blend
from mmtrain.modality_balance.method import Answer, ModalityBalance, Pass
from mmtrain.modality_balance.none import Nothing
from mmtrain.modality_balance.ogm_ge import OGMGE
from mmtrain.modality_balance.pmr import PMR

__all__ = ["AGM", "OGMGE", "PMR", "Answer", "Blend", "ModalityBalance", "Nothing", "Pass"]
