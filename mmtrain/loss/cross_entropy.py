"""The log loss of classes."""

from typing import Annotated, ClassVar, Literal

from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from mmtrain.loss.class_weights import class_weights as weights_of
from mmtrain.option import NonNegative, Range
from mmtrain.spec import TargetSpec


class CrossEntropy(nn.Module):
    """Negative log probability of the row's class, in nats.

    `label_smoothing` moves this share of the target from the row's class to all classes evenly (Szegedy et al. 2016, section 7).
    `class_weights` multiplies each class's term: `none`; `inverse` to the class's train rows; `effective`, inverse to their effective
    number, (1 - beta**rows) / (1 - beta) (Cui et al. 2019), both 1 on average over the rows; or a mapping from labels to weights
    (1 where not named). `beta` is read by `effective` alone: beyond 1 / (1 - beta) rows, more of them change little.

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
        label_smoothing: Annotated[float, Range(0, below=1)] = 0.0,
        class_weights: Literal["none", "inverse", "effective"] | dict[str, NonNegative] = "none",
        beta: Annotated[float, Range(0, below=1)] = 0.999,
    ) -> None:
        super().__init__()
        self.label_smoothing = label_smoothing
        self.register_buffer("weights", weights_of(spec, class_weights, beta), persistent=False)

    def forward(self, prediction: Float[Tensor, "K C"], target: Int[Tensor, " K"]) -> Float[Tensor, " K"]:
        """Loss of each row."""
        return functional.cross_entropy(prediction, target, weight=self.weights, label_smoothing=self.label_smoothing, reduction="none")
