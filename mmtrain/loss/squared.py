"""The squared error of numbers."""

from typing import ClassVar

from jaxtyping import Float
from torch import Tensor, nn

from mmtrain.spec import TargetSpec


class Squared(nn.Module):
    """Squared error, in squared standard deviations of the train targets. The best answer under it is the mean."""

    targets: ClassVar[str] = "numbers"
    gaussian: ClassVar[bool] = True

    def __init__(self, spec: TargetSpec) -> None:
        super().__init__()

    def forward(self, prediction: Float[Tensor, " K"], target: Float[Tensor, " K"]) -> Float[Tensor, " K"]:
        """Loss of each row."""
        return (prediction - target).square()
