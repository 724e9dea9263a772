"""Fair shares of the improvement."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from mmtrain.balancing.balancer import Balancer, Weights
from mmtrain.balancing.gradients import Compared, Gradients, blind, by_weights
from mmtrain.option import NonNegative
from mmtrain.spec import TaskSpec


class FairGrad(Balancer):
    """Weigh the tasks so that their rates of improvement are `alpha`-fair: G w = w ** (-1 / alpha), with G the Gramian.

    1 is proportional fairness, as in Nash-MTL; large values approach the largest worst rate; 0 is the plain sum. The length of the
    combination does not follow that of the gradients (for `alpha` 1 its square is the number of tasks), so that at level features
    every part of an accumulated batch counts as a whole one: accumulate at level parameters.

    Source: Ban and Ji 2024, Fair Resource Allocation in Multi-Task Learning, equation 4. Solved for a Gramian of mean diagonal 1 and
    scaled back, which is the same solution without the solver's trouble with large and small numbers.
    """

    def __init__(
        self,
        tasks: Mapping[str, TaskSpec],
        *,
        alpha: NonNegative = 1.0,
        level: Literal["features", "parameters"] = "features",
        normalisation: Literal["none", "unit", "loss"] = "none",
    ) -> None:
        super().__init__()
        from torchjd.aggregation import FairGradWeighting  # takes a while to load: only for those who choose it

        solver = FairGradWeighting(alpha=alpha)

        def weigh(compared: Compared) -> Tensor:
            if alpha == 0:  # the solver then gives the mean, where ever smaller ones lead to weights of 1
                return torch.ones_like(compared.gramian[0])
            return solver(compared.gramian) * compared.size ** (-alpha / (1 + alpha))

        self.gradients = Gradients("fairgrad", tasks, by_weights(weigh), level=level, normalisation=normalisation)
        self.notes = [*self.gradients.notes, *(blind("fairgrad", tasks) if alpha == 1 else [])]

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
