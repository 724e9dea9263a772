"""The Huber loss of numbers."""

from typing import ClassVar

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from mmtrain.option import Positive
from mmtrain.spec import TargetSpec


class Huber(nn.Module):
    """Half the squared error up to `delta`, beyond it linear: delta * (error - delta / 2).

    Errors and `delta` are in standard deviations of the train targets (of their logarithm under `scaling: log1p`).
    Source: Huber 1964, equation 3.13 (rho).
    """

    targets: ClassVar[str] = "numbers"
    gaussian: ClassVar[bool] = False

    def __init__(self, spec: TargetSpec, *, delta: Positive = 1.0) -> None:
        super().__init__()
        self.delta = delta

    def forward(self, prediction: Float[Tensor, " K"], target: Float[Tensor, " K"]) -> Float[Tensor, " K"]:
        """Loss of each row."""
        return functional.huber_loss(prediction, target, delta=self.delta, reduction="none")
