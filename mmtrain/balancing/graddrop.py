"""One sign in each place."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from mmtrain import processes
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
        self.draws = Draws()

        def rule(rows: Rows, gramian: Tensor, factors: Tensor) -> tuple[list[Tensor], None]:
            with self.draws.fixed(gramian.device):
                scaled = [factors.reshape(-1, *[1] * (part.ndim - 1)).to(part.dtype) * part for part in rows.values]
                return [_one_sign(part, leak, _drawn(part[0], by_row=level == "features")) for part in scaled], None

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


def _drawn(place: Shaped[Tensor, "..."], *, by_row: bool) -> Float[Tensor, "..."]:
    """A number from 0 to 1 for each place. Features lead with the rows of this process, which draws those of all and takes its own."""
    shape = (len(place) * processes.count(), *place.shape[1:]) if by_row else place.shape
    drawn = torch.rand(shape, dtype=place.dtype, device=place.device)
    return drawn[processes.share()] if by_row else drawn


def _one_sign(part: Float[Tensor, "N ..."], leak: float, drawn: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    positive = (1 + part.sum(0) / part.abs().sum(0)) / 2
    kept = torch.where(drawn < positive, part > 0, part < 0)
    return ((leak + (1 - leak) * kept) * part).sum(0)
