"""The log loss of classes, with less weight on easy rows."""

from typing import Annotated, ClassVar, Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from mmtrain.loss.class_weights import class_weights as weights_of
from mmtrain.option import NonNegative, Range
from mmtrain.spec import TargetSpec


class Focal(nn.Module):
    """Cross-entropy times (1 - p) ** gamma, where p is the probability of the row's class; gamma 0 is plain cross-entropy.

    `class_weights` and `beta` as in cross-entropy: `none`, `inverse`, `effective`, or a mapping from labels to weights (1 where not
    named).
    Source: Lin et al. 2017, equation 5, over a softmax of all classes; their alpha is `class_weights`.

    Raises:
        ConfigError: `class_weights` names a label that train does not have.
    """

    targets: ClassVar[str] = "classes"
    gaussian: ClassVar[bool] = False
    weights: Float[Tensor, " C"]

    def __init__(
        self,
        spec: TargetSpec,
        *,
        gamma: NonNegative = 2.0,
        class_weights: Literal["none", "inverse", "effective"] | dict[str, NonNegative] = "none",
        beta: Annotated[float, Range(0, below=1)] = 0.999,
    ) -> None:
        super().__init__()
        self.gamma = gamma
        self.register_buffer("weights", weights_of(spec, class_weights, beta), persistent=False)

    def forward(self, prediction: Float[Tensor, "K C"], target: Int[Tensor, " K"]) -> Float[Tensor, " K"]:
        """Loss of each row."""
        log_probability = -functional.cross_entropy(prediction, target, reduction="none")
        # 1 - p; kept above 0, where the slope of a power below 1 is infinite and would turn the gradient into NaN
        doubt = -torch.expm1(log_probability).clamp(max=-torch.finfo(prediction.dtype).tiny)
        return -self.weights[target] * doubt**self.gamma * log_probability
