"""The best worst improvement near the plain sum."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from jaxtyping import Float, Shaped
from torch import Tensor, nn

from mmtrain.balancing.balancer import Balancer, Weights
from mmtrain.balancing.extra import with_extra
from mmtrain.balancing.gradients import Gradients, by_weights
from mmtrain.option import NonNegative
from mmtrain.spec import TaskSpec


class CAGrad(Balancer):
    """Step where the least improved task improves most, within a ball of radius `c` times its norm around the mean gradient.

    At `c` 0 it is the plain sum; towards 1 it approaches MGDA in direction. The weights are those of the mean times the number of
    tasks in the batch. Needs cvxpy, which comes with the extra `balancing`.

    Source: Liu et al. 2021, algorithm 1 and equation 4, without a rescaling of the step by 1 / (1 + c^2).
    """

    def __init__(
        self,
        tasks: Mapping[str, TaskSpec],
        *,
        c: NonNegative = 0.5,
        level: Literal["features", "parameters"] = "features",
        normalisation: Literal["none", "unit", "loss"] = "none",
    ) -> None:
        super().__init__()
        from torchjd.aggregation import CAGradWeighting  # takes a while to load: only for those who choose it

        solver = with_extra(lambda: CAGradWeighting(c))
        rule = by_weights(lambda compared: len(compared.places) * solver(compared.gramian))
        self.gradients = Gradients("cagrad", tasks, rule, level=level, normalisation=normalisation)
        self.notes = self.gradients.notes

    def backward(
        self,
        losses: Mapping[str, Float[Tensor, ""]],
        *,
        boundary: Sequence[Shaped[Tensor, "..."]],
        parameters: Sequence[nn.Parameter],
        penalty: Float[Tensor, ""] | None = None,
        scale: Float[Tensor, ""] | float = 1.0,
    ) -> Weights:
        """Add the combined gradient, or collect for it."""
        return self.gradients.backward(losses, boundary=boundary, parameters=parameters, penalty=penalty, scale=scale)

    def before_step(self) -> Weights:
        """Add what was collected at level parameters."""
        return self.gradients.before_step()

    def after_step(self, measure: Callable[[], Mapping[str, Float[Tensor, ""]]] | None = None) -> None:
        """The batch is over."""
        self.gradients.after_step()

    def epoch_end(self, losses: Mapping[str, float]) -> None:
        """Nothing to do."""

    def diagnostics(self) -> dict[str, float]:
        """Norms and cosines of the tasks' gradients."""
        return self.gradients.conflicts.numbers()
