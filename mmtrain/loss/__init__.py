"""Losses: what a head predicts and the targets of K labelled rows in, one number a row out.

    Loss(spec: TargetSpec, *, ...)              an nn.Module; spec says which labels train has, and how often
    targets = "classes"                         forward(prediction (K, C) logits, target (K,) int) -> (K,)
    targets = "numbers"                         forward(prediction (K,), target (K,)) -> (K,), both in deviations from the train mean
    targets = "sets"                            forward(prediction (K, C) logits, target (K, C) 1 where the row has the label) -> (K,)
    targets = "counts"                          forward(prediction (K,), target (K,)) -> (K,), the logarithm of the rate and the count
    targets = "quantiles"                       forward(prediction (K, Q), target (K,)) -> (K,), in deviations; spec.quantiles says which
    gaussian: bool                              whether it is a squared error, the log likelihood of a normal distribution
    offset (C,)                                 only of a loss for classes that adds something to the logits: what it adds

Every target is a class that train has; who calls takes the mean. `targets` and `gaussian` are class constants, which the
configuration check reads without importing torch.

To add one: a class as above in `mmtrain/loss/<name>.py`, its export here, `configs/loss/<name>.yaml`; the laws in
`tests/loss/test_laws.py` then test it by themselves, its values need a `tests/loss/test_<name>.py`.
"""

from mmtrain.loss.absolute import Absolute
from mmtrain.loss.binary_cross_entropy import BinaryCrossEntropy
from mmtrain.loss.cross_entropy import CrossEntropy
from mmtrain.loss.focal import Focal
from mmtrain.loss.huber import Huber
from mmtrain.loss.logit_adjusted import LogitAdjusted
from mmtrain.loss.pinball import Pinball
from mmtrain.loss.poisson import Poisson
from mmtrain.loss.squared import Squared

__all__ = ["Absolute", "BinaryCrossEntropy", "CrossEntropy", "Focal", "Huber", "LogitAdjusted", "Pinball", "Poisson", "Squared"]
