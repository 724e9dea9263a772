"""The geometric mean of the losses."""

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from mmtrain.balancing.balancer import Balancer, Weights
from mmtrain.balancing.blind import blind_notes
from mmtrain.balancing.weighted_sum import backward_weighted_sum
from mmtrain.balancing.whole import EPSILON, Whole
from mmtrain.spec import TaskSpec


class Geometric(Balancer):
    """Minimise n times the geometric mean of the losses of the n tasks in the batch: weigh each by (geometric mean) / loss.

    Losses have to be 0 or more; 1e-8 is added to each, and one of exactly 0 is left out. Where all losses are equal this is the plain
    sum. A batch in several parts gets the weights of its losses as a whole, which costs another forward pass, and equals the batch in
    one.

    Source: Chennupati et al. 2019, MultiNet++, equation 2 (GLS), without its factor for favoured tasks. The factor n is ours: with
    it, gradients stay as large as those of the sum, however many tasks have a label.
    """

    looks_ahead: ClassVar[bool] = True

    def __init__(self, tasks: Mapping[str, TaskSpec]) -> None:
        super().__init__()
        self.notes = blind_notes(
            "geometric", tasks, "a factor of one loss scales the gradients of all tasks alike, so that it favours none"
        )
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
        """Add the gradient of the geometric mean, times the number of its tasks."""
        weights: dict[str, Tensor | float] = dict.fromkeys(losses, 0.0)
        if whole := self.whole.look(losses):
            found = torch.stack(list(whole.values()))
            there = found != 0  # a loss of exactly 0 asks for nothing, and would take all weight from the others
            logs = torch.where(there, (found + EPSILON).log(), 0.0)
            mean = logs.sum() / there.sum().clamp(min=1)
            weights |= dict(zip(whole, torch.where(there, (mean - logs).exp(), 0.0), strict=True))
        backward_weighted_sum(losses, weights, penalty, scale)
        return {task: weights[task] for task in losses}

    def after_step(self, measure: Callable[[], Mapping[str, Float[Tensor, ""]]] | None = None) -> None:
        """The batch is done."""
        self.whole.forget()

    def epoch_end(self, losses: Mapping[str, float]) -> None:
        """Nothing to do."""
