"""The Poisson loss of counts."""

from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from mmtrain.spec import TargetSpec


class Poisson(nn.Module):
    """Negative log likelihood of a Poisson distribution, less what the true count itself would cost as the rate: in nats, never below 0.

    With count y and rate exp(prediction) it is rate - y prediction + y log y - y: half the deviance. What is taken off holds no
    prediction, so that gradients are those of the likelihood. The best answer under it is the mean.
    Source: McCullagh and Nelder 1989, Generalized Linear Models, section 6.2, with the logarithm as link.
    """

    targets: ClassVar[str] = "counts"
    gaussian: ClassVar[bool] = False

    def __init__(self, spec: TargetSpec) -> None:
        super().__init__()

    def forward(self, prediction: Float[Tensor, " K"], target: Float[Tensor, " K"]) -> Float[Tensor, " K"]:
        """Loss of each row, from the logarithm of its rate and its count."""
        # a little below 0 where rounding has it so
        return (prediction.exp() - target * prediction + torch.xlogy(target, target) - target).clamp(min=0)
