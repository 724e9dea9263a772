"""The Nash bargaining solution."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from mmtrain.balancing.balancer import Balancer, Weights
from mmtrain.balancing.gradients import Compared, Gradients, blind, by_weights
from mmtrain.option import NonNegative
from mmtrain.spec import TaskSpec

STEPS, CLOSE = 100, 1e-10
SMALLEST = 1e-6  # eigenvalue of the cosines in float32: below it gradients cancel


class NashMTL(Balancer):
    """Weigh the tasks as players who bargain over the step: G w = 1 / w, with G the Gramian.

    However large the gradients, the combination has the norm sqrt(tasks), unless that is above `max_norm`; 0 is no bound. So at
    level features every part of an accumulated batch counts as a whole one: accumulate at level parameters.

    Source: Navon et al. 2022, Multi-Task Learning as a Bargaining Game, claim 3.1 and algorithm 1; `max_norm` is from the authors'
    code. The paper approaches the solution by convex programs that start from the last step's weights; it is the minimum of the
    convex function w G w / 2 - sum(log w), which we find by Newton's method: in a hundredth of the time, from nowhere, and always.
    Gradients that nearly cancel, for which there is no solution, are taken as a little apart.
    """

    def __init__(
        self,
        tasks: Mapping[str, TaskSpec],
        *,
        max_norm: NonNegative = 1.0,
        level: Literal["features", "parameters"] = "features",
        normalisation: Literal["none", "unit", "loss"] = "none",
    ) -> None:
        super().__init__()

        def weigh(compared: Compared) -> Tensor:
            norms = compared.gramian.diagonal().sqrt()
            weights = _bargained(compared.gramian / norms[:, None] / norms) / norms
            norm = float((weights @ compared.gramian @ weights).clamp(min=0).sqrt())
            bound = max_norm / max(norm, max_norm) if max_norm > 0 else 1.0
            return bound * weights / compared.size**0.5

        self.gradients = Gradients("nash", tasks, by_weights(weigh), level=level, normalisation=normalisation)
        self.notes = [*self.gradients.notes, *blind("nash", tasks)]

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


def _bargained(cosines: Float[Tensor, "N N"]) -> Float[Tensor, " N"]:
    """The positive w with cosines @ w = 1 / w. The function is self-concordant: shortened so, Newton's steps always arrive."""
    values, vectors = torch.linalg.eigh(cosines)
    positive = vectors * values.clamp(min=SMALLEST) @ vectors.T
    weights = torch.ones_like(values)
    for _ in range(STEPS):
        slope = positive @ weights - 1 / weights
        step = torch.linalg.solve(positive + torch.diag(weights**-2), slope)
        decrement = float((slope @ step).clamp(min=0).sqrt())
        weights = weights - step / (1 + decrement if decrement > 0.25 else 1)
        if decrement < CLOSE:
            break
    return weights
