"""The log loss of sets of labels."""

from typing import ClassVar

from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from mmtrain.spec import TargetSpec


class BinaryCrossEntropy(nn.Module):
    """Negative log probability of whether the row has the label, in nats: the mean over the labels, each judged for itself."""

    targets: ClassVar[str] = "sets"
    gaussian: ClassVar[bool] = False

    def __init__(self, spec: TargetSpec) -> None:
        super().__init__()

    def forward(self, prediction: Float[Tensor, "K C"], target: Int[Tensor, "K C"]) -> Float[Tensor, " K"]:
        """Loss of each row; target 1 where the row has the label."""
        return functional.binary_cross_entropy_with_logits(prediction, target.to(prediction.dtype), reduction="none").mean(1)
