"""The same cosine with every task."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from mmtrain.balancing.balancer import Balancer, Weights
from mmtrain.balancing.factor import factor
from mmtrain.balancing.gradients import Compared, Gradients, blind, by_weights
from mmtrain.spec import TaskSpec


class ConFIG(Balancer):
    """Step in the direction that has the same cosine with each task's gradient, as far as all their projections reach together.

    Found from the Gramian: the direction lies in the span of the gradients. How large they are does not turn it.

    Source: Liu et al. 2024, ConFIG: Towards Conflict-free Training of Physics Informed Neural Networks, equations 2 and 3.
    """

    def __init__(
        self,
        tasks: Mapping[str, TaskSpec],
        *,
        level: Literal["features", "parameters"] = "features",
        normalisation: Literal["none", "unit", "loss"] = "none",
    ) -> None:
        super().__init__()
        from torchjd.aggregation import ConFIG as Aggregator  # takes a while to load: only for those who choose it

        aggregator = Aggregator()

        def weigh(compared: Compared) -> Tensor:
            norms = compared.gramian.diagonal().sqrt()
            coordinates = factor(compared.gramian / norms[:, None] / norms)  # of unit rows, in their own span
            direction = aggregator(norms[:, None] * coordinates)
            return torch.linalg.pinv(coordinates).T @ direction / norms

        self.gradients = Gradients("config_grad", tasks, by_weights(weigh), level=level, normalisation=normalisation)
        self.notes = [*self.gradients.notes, *blind("config_grad", tasks)]

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
