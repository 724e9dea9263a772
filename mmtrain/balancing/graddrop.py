"""One sign in each place."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from mmtrain.balancing.balancer import Balancer, Weights
from mmtrain.balancing.draws import Draws
from mmtrain.balancing.gradients import Gradients
from mmtrain.balancing.rows import Rows
from mmtrain.option import Fraction
from mmtrain.spec import TaskSpec


class GradDrop(Balancer):
    """In each place of the gradients keep one sign: the positive ones with the probability that their share in all has, else the others.

    `leak` is the share of each dropped number that is kept all the same. The method has no weights.

    Source: Chen et al. 2020, Just Pick a Sign, algorithm 1, lines 10 to 15, on the rows as they are; at level features the
    paper first multiplies them by the sign of the features and sums over the batch (line 9), which we do not.
    """

    def __init__(
        self,
        tasks: Mapping[str, TaskSpec],
        *,
        leak: Fraction = 0.0,
        level: Literal["features", "parameters"] = "features",
        normalisation: Literal["none", "unit", "loss"] = "none",
    ) -> None:
        super().__init__()
        from torchjd.aggregation import GradDrop as Aggregator  # takes a while to load: only for those who choose it

        self.draws = Draws()

        def rule(rows: Rows, gramian: Tensor, factors: Tensor) -> tuple[list[Tensor], None]:
            aggregator = Aggregator(leak=torch.full_like(factors, leak))
            combined = []
            with self.draws.fixed(gramian.device):
                for part in rows.values:
                    flat = factors[:, None] * part.reshape(len(part), -1)
                    combined.append(aggregator(flat).reshape(part.shape[1:]))
            return combined, None

        self.gradients = Gradients("graddrop", tasks, rule, level=level, normalisation=normalisation)
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
        """The next batch draws other signs."""
        self.gradients.after_step()
        self.draws.after_step()

    def epoch_end(self, losses: Mapping[str, float]) -> None:
        """Nothing to do."""

    def diagnostics(self) -> dict[str, float]:
        """Norms and cosines of the tasks' gradients."""
        return self.gradients.conflicts.numbers()
