"""No balancing beyond the weights in the configuration."""

from collections.abc import Callable, Mapping, Sequence

from jaxtyping import Float, Shaped
from torch import Tensor, nn

from mmtrain.balancing.balancer import Balancer, Weights
from mmtrain.balancing.weighted_sum import backward_weighted_sum
from mmtrain.spec import TaskSpec


class Fixed(Balancer):
    """Weigh every task 1: `tasks.X.weight` has multiplied the losses already."""

    def __init__(self, tasks: Mapping[str, TaskSpec]) -> None:
        super().__init__()
        self.notes = []
        self.weights: dict[str, float] = dict.fromkeys(tasks, 1.0)

    def backward(
        self,
        losses: Mapping[str, Float[Tensor, ""]],
        *,
        boundary: Sequence[Shaped[Tensor, "..."]],
        parameters: Sequence[nn.Parameter],
        penalty: Float[Tensor, ""] | None = None,
        scale: Float[Tensor, ""] | float = 1.0,
    ) -> Weights:
        """Add the gradient of the plain sum."""
        backward_weighted_sum(losses, self.weights, penalty, scale)
        return {task: self.weights[task] for task in losses}

    def after_step(self, measure: Callable[[], Mapping[str, Float[Tensor, ""]]] | None = None) -> None:
        """Nothing to do."""

    def epoch_end(self, losses: Mapping[str, float]) -> None:
        """Nothing to do."""
