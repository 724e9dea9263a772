"""Take conflicts out, pair by pair."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from jaxtyping import Float, Shaped
from torch import Tensor, nn

from mmtrain.balancing.balancer import Balancer, Weights
from mmtrain.balancing.draws import Draws
from mmtrain.balancing.gradients import Compared, Gradients, by_weights
from mmtrain.spec import TaskSpec


class PCGrad(Balancer):
    """From each task's gradient take its component against each gradient that it conflicts with, in random order, and sum what is left.

    Source: Yu et al. 2020, Gradient Surgery for Multi-Task Learning, algorithm 1. All parts of a batch see the same order.
    """

    def __init__(
        self,
        tasks: Mapping[str, TaskSpec],
        *,
        level: Literal["features", "parameters"] = "features",
        normalisation: Literal["none", "unit", "loss"] = "none",
    ) -> None:
        super().__init__()
        from torchjd.aggregation import PCGradWeighting  # takes a while to load: only for those who choose it

        solver, self.draws = PCGradWeighting(), Draws()

        def weigh(compared: Compared) -> Tensor:
            with self.draws.fixed():
                return solver(compared.gramian)

        self.gradients = Gradients("pcgrad", tasks, by_weights(weigh), level=level, normalisation=normalisation)
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
        """The next batch draws another order."""
        self.gradients.after_step()
        self.draws.after_step()

    def epoch_end(self, losses: Mapping[str, float]) -> None:
        """Nothing to do."""

    def diagnostics(self) -> dict[str, float]:
        """Norms and cosines of the tasks' gradients."""
        return self.gradients.conflicts.numbers()
