"""All principal components of the same size."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from jaxtyping import Float, Shaped
from torch import Tensor, nn

from mmtrain.balancing.balancer import Balancer, Weights
from mmtrain.balancing.gradients import Gradients, by_weights
from mmtrain.spec import TaskSpec


class Aligned(Balancer):
    """Turn the tasks' gradients into the nearest ones that are orthogonal and equally long, and sum these.

    `scale_mode` is the length they get: that of the smallest component, the median, or the root mean square of all. The weights are
    those of the mean times the number of tasks in the batch.

    Source: Senushkin et al. 2023, Independent Component Alignment (Aligned-MTL), algorithm 1.
    """

    def __init__(
        self,
        tasks: Mapping[str, TaskSpec],
        *,
        scale_mode: Literal["min", "median", "rmse"] = "min",
        level: Literal["features", "parameters"] = "features",
        normalisation: Literal["none", "unit", "loss"] = "none",
    ) -> None:
        super().__init__()
        from torchjd.aggregation import AlignedMTLWeighting  # takes a while to load: only for those who choose it

        solver = AlignedMTLWeighting(scale_mode=scale_mode)
        rule = by_weights(lambda compared: len(compared.places) * solver(compared.gramian))
        self.gradients = Gradients("aligned", tasks, rule, level=level, normalisation=normalisation)
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
