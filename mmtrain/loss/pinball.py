"""The pinball loss of quantiles."""

from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from mmtrain.spec import TargetSpec


class Pinball(nn.Module):
    """The mean over the quantiles q of q times what the target lies above the answer, or 1 - q times what it lies below it.

    In standard deviations of the train targets. The best answer under it are the quantiles of the target, each for itself.
    Source: Koenker and Bassett 1978, equation 3.1.
    """

    targets: ClassVar[str] = "quantiles"
    gaussian: ClassVar[bool] = False
    quantiles: Float[Tensor, " Q"]

    def __init__(self, spec: TargetSpec) -> None:
        super().__init__()
        self.register_buffer("quantiles", torch.tensor(spec.quantiles), persistent=False)

    def forward(self, prediction: Float[Tensor, "K Q"], target: Float[Tensor, " K"]) -> Float[Tensor, " K"]:
        """Loss of each row."""
        above = target[:, None] - prediction
        return torch.maximum(self.quantiles * above, (self.quantiles - 1) * above).mean(1)
