"""Equal projections."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from jaxtyping import Float, Shaped
from torch import Tensor, nn

from mmtrain.balancing.balancer import Balancer, Weights
from mmtrain.balancing.gradients import Gradients, blind, by_weights
from mmtrain.spec import TaskSpec


class IMTLG(Balancer):
    """Weigh the tasks so that the combined gradient has the same projection on each of their directions.

    The weights may be negative; they sum to the number of tasks in the batch. How large a task's gradients are does not turn the
    combination.

    Source: Liu et al. 2021, Towards Impartial Multi-task Learning, equation 3; by the pseudo-inverse of the Gramian as in Quinton and
    Rey 2024, which also takes dependent gradients.
    """

    def __init__(
        self,
        tasks: Mapping[str, TaskSpec],
        *,
        level: Literal["features", "parameters"] = "features",
        normalisation: Literal["none", "unit", "loss"] = "none",
    ) -> None:
        super().__init__()
        from torchjd.aggregation import IMTLGWeighting  # takes a while to load: only for those who choose it

        solver = IMTLGWeighting()
        rule = by_weights(lambda compared: len(compared.places) * solver(compared.gramian))
        self.gradients = Gradients("imtl_g", tasks, rule, level=level, normalisation=normalisation)
        self.notes = [*self.gradients.notes, *blind("imtl_g", tasks)]

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
