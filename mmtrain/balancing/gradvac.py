"""Cosines pushed up to what is usual."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from mmtrain.balancing.balancer import Balancer, Weights
from mmtrain.balancing.draws import Draws
from mmtrain.balancing.gradients import Compared, Gradients, by_weights
from mmtrain.option import Fraction
from mmtrain.spec import TaskSpec


class GradVac(Balancer):
    """As PCGrad, but each pair of gradients is turned until its cosine is at least what it has been of late, not just 0.

    `beta` is what the newest cosine weighs in that average, which starts at 0 and advances once a step. In an accumulated batch at
    level features the last part's cosines enter it; a pair of tasks has one average, whatever blocks of parameters they share.

    Source: Wang et al. 2021, Gradient Vaccine, algorithm 1 and equations 3 and 4, for the whole of what is shared as one group.
    """

    target: Float[Tensor, "T T"]

    def __init__(
        self,
        tasks: Mapping[str, TaskSpec],
        *,
        beta: Fraction = 0.5,
        level: Literal["features", "parameters"] = "features",
        normalisation: Literal["none", "unit", "loss"] = "none",
    ) -> None:
        super().__init__()
        from torchjd.aggregation import GradVacWeighting  # takes a while to load: only for those who choose it

        solver: Any = GradVacWeighting(beta=beta)  # whose state is private, and set from here
        self.draws = Draws()
        self.register_buffer("target", torch.zeros(len(tasks), len(tasks)))
        self.newest: Tensor | None = None

        def weigh(compared: Compared) -> Tensor:
            index = torch.tensor(compared.places)
            pairs = (index[:, None], index)
            # The solver keeps the targets of one set of tasks, and forgets them when it changes.
            target = self.target.cpu().double()
            solver._phi_t, solver._state_key = target[pairs], (len(index), target.dtype)
            with self.draws.fixed():
                weights = solver(compared.gramian)
            self.newest = target if self.newest is None else self.newest
            self.newest[pairs] = solver._phi_t
            return weights

        self.gradients = Gradients("gradvac", tasks, by_weights(weigh), level=level, normalisation=normalisation)
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
        """Move the targets; the next batch draws another order."""
        self.gradients.after_step()
        self.draws.after_step()
        if self.newest is not None:
            self.target.copy_(self.newest)
        self.newest = None

    def epoch_end(self, losses: Mapping[str, float]) -> None:
        """Nothing to do."""

    def diagnostics(self) -> dict[str, float]:
        """Norms and cosines of the tasks' gradients."""
        return self.gradients.conflicts.numbers()
