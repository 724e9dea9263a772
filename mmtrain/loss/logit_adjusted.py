"""The log loss of classes, as if all were equally frequent."""

from typing import ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from mmtrain.option import NonNegative
from mmtrain.spec import TargetSpec


class LogitAdjusted(nn.Module):
    """Cross-entropy of the logits plus `tau` times the logarithm of each class's frequency in train; tau 0 is plain cross-entropy.

    In training, frequent classes have a head start that the network need not learn. Predictions are made without it: at tau 1 they
    are the probabilities that the classes would have if all were equally frequent, so that balanced accuracy gains, and accuracy
    and log loss on unequal classes give way. `offset` is what is added; a head starts that much below the train frequencies, so
    that its first predictions call all classes equally likely.
    Source: Menon et al. 2021, equation 10.
    """

    targets: ClassVar[str] = "classes"
    gaussian: ClassVar[bool] = False
    offset: Float[Tensor, " C"]

    def __init__(self, spec: TargetSpec, *, tau: NonNegative = 1.0) -> None:
        super().__init__()
        counts = torch.tensor(list(spec.counts.values()), dtype=torch.float64)
        self.register_buffer("offset", (tau * (counts / counts.sum()).log()).float(), persistent=False)

    def forward(self, prediction: Float[Tensor, "K C"], target: Int[Tensor, " K"]) -> Float[Tensor, " K"]:
        """Loss of each row."""
        return functional.cross_entropy(prediction + self.offset, target, reduction="none")
