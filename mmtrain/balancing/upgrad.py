"""No task is hurt by another."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from jaxtyping import Float, Shaped
from torch import Tensor, nn

from mmtrain.balancing.balancer import Balancer, Weights
from mmtrain.balancing.gradients import Gradients, by_weights
from mmtrain.spec import TaskSpec


class UPGrad(Balancer):
    """Project each task's gradient to where no task loses by it, to first order, and sum the projections.

    The weights are those of the mean times the number of tasks in the batch, so that without conflict they are 1.

    Source: Quinton and Rey 2024, Jacobian Descent for Multi-Objective Optimization, section 3; quadratic programs of the dual.
    """

    def __init__(
        self,
        tasks: Mapping[str, TaskSpec],
        *,
        level: Literal["features", "parameters"] = "features",
        normalisation: Literal["none", "unit", "loss"] = "none",
    ) -> None:
        super().__init__()
        from torchjd.aggregation import UPGradWeighting  # takes a while to load: only for those who choose it

        solver = UPGradWeighting()
        rule = by_weights(lambda compared: len(compared.places) * solver(compared.gramian))
        self.gradients = Gradients("upgrad", tasks, rule, level=level, normalisation=normalisation)
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
