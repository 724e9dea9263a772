"""The combination of smallest norm."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from jaxtyping import Float, Shaped
from torch import Tensor, nn

from mmtrain.balancing.balancer import Balancer, Weights
from mmtrain.balancing.gradients import Gradients, by_weights
from mmtrain.spec import TaskSpec


class MGDA(Balancer):
    """Weigh the tasks so that the combined gradient is the shortest of all convex combinations: no descent along it hurts a task.

    A task with small gradients gets nearly all the weight; `normalisation` takes that away. The weights sum to the number of tasks
    in the batch, so that without conflict between equal gradients they give the plain sum.

    Source: Desideri 2012; Sener and Koltun 2018, algorithm 2, solved by Frank-Wolfe steps; at level features it is their MGDA-UB,
    equation 5.
    """

    def __init__(
        self,
        tasks: Mapping[str, TaskSpec],
        *,
        level: Literal["features", "parameters"] = "features",
        normalisation: Literal["none", "unit", "loss"] = "none",
    ) -> None:
        super().__init__()
        from torchjd.aggregation import MGDAWeighting  # takes a while to load: only for those who choose it

        solver = MGDAWeighting()
        rule = by_weights(lambda compared: len(compared.places) * solver(compared.gramian))
        self.gradients = Gradients("mgda", tasks, rule, level=level, normalisation=normalisation)
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
