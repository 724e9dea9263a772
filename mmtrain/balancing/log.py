"""The sum of the logarithms of the losses."""

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from jaxtyping import Float, Shaped
from torch import Tensor, nn

from mmtrain.balancing.balancer import Balancer, Weights
from mmtrain.balancing.blind import blind_notes
from mmtrain.balancing.weighted_sum import backward_weighted_sum
from mmtrain.balancing.whole import EPSILON, Whole
from mmtrain.spec import TaskSpec


class Log(Balancer):
    """Minimise the sum of log(loss): weigh each task by 1 / loss, so that its unit does not matter.

    Losses have to be 0 or more; 1e-8 is added to each. A batch in several parts gets the weights of its losses as a whole, which costs
    another forward pass, and equals the batch in one.

    Source: the baseline `SI` (scale-invariant) of Navon et al. 2022, Multi-Task Learning as a Bargaining Game, section 6.
    """

    looks_ahead: ClassVar[bool] = True

    def __init__(self, tasks: Mapping[str, TaskSpec]) -> None:
        super().__init__()
        self.notes = blind_notes("log", tasks, "a factor of a loss is a summand of its logarithm, so that it changes nothing")
        self.whole = Whole(tasks)

    def look_ahead(self, losses: Mapping[str, Float[Tensor, ""]]) -> None:
        """Weigh all parts of the batch by these."""
        self.whole.announce(losses)

    def backward(
        self,
        losses: Mapping[str, Float[Tensor, ""]],
        *,
        boundary: Sequence[Shaped[Tensor, "..."]],
        parameters: Sequence[nn.Parameter],
        penalty: Float[Tensor, ""] | None = None,
        scale: Float[Tensor, ""] | float = 1.0,
    ) -> Weights:
        """Add the gradient of the sum of the logarithms."""
        weights = dict.fromkeys(losses, 0.0) | {task: 1 / (loss + EPSILON) for task, loss in self.whole.look(losses).items()}
        backward_weighted_sum(losses, weights, penalty, scale)
        return {task: weights[task] for task in losses}

    def after_step(self, measure: Callable[[], Mapping[str, Float[Tensor, ""]]] | None = None) -> None:
        """The batch is done."""
        self.whole.forget()

    def epoch_end(self, losses: Mapping[str, float]) -> None:
        """Nothing to do."""
