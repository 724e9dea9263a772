"""Weights by learned noise."""

from collections.abc import Callable, Mapping, Sequence

import torch
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor, nn

from mmtrain.balancing.adam import adam
from mmtrain.balancing.balancer import Balancer, Weights
from mmtrain.balancing.blind import blind_notes
from mmtrain.balancing.weighted_sum import backward_weighted_sum
from mmtrain.option import Positive
from mmtrain.spec import TaskSpec


class Uncertainty(Balancer):
    """Learn the noise of each task and weigh it down accordingly: the sum of c * exp(-s) * loss + s / 2 over the tasks.

    s is the logarithm of the noise's variance, c is 1/2 for a squared error and 1 for the log loss of a class. `lr` is the
    step of s, by an Adam of its own, once per optimizer step. A task without a loss in a step keeps its s and its moments.
    Everything is a buffer: no optimizer of the model sees it, and the state dict is exact.

    Source: Kendall et al. 2018, equations 7 to 10, learning s = log(sigma^2) for stability as in their section 4; Adam is
    Kingma and Ba 2015, algorithm 1. The gradient of s is written out, from losses without graph, so that the scale of
    fp16 gradients never reaches it.
    """

    factor: Float[Tensor, " T"]
    log_variance: Float[Tensor, " T"]
    pending: Float[Tensor, " T"]
    seen: Bool[Tensor, " T"]
    steps: Int[Tensor, " T"]
    moment: Float[Tensor, " T"]
    square: Float[Tensor, " T"]

    def __init__(self, tasks: Mapping[str, TaskSpec], *, lr: Positive = 0.01) -> None:
        super().__init__()
        why = "the learned noise takes up a fixed factor of a loss, so that in the end it changes nothing"
        self.notes = blind_notes("uncertainty", tasks, why)
        self.lr = lr
        self.places = {task: place for place, task in enumerate(sorted(tasks))}
        factor = torch.tensor([0.5 if tasks[task].gaussian else 1.0 for task in self.places])
        self.register_buffer("factor", factor, persistent=False)
        for name in ("log_variance", "pending", "moment", "square"):
            self.register_buffer(name, torch.zeros(len(tasks)))
        self.register_buffer("seen", torch.zeros(len(tasks), dtype=torch.bool))
        self.register_buffer("steps", torch.zeros(len(tasks), dtype=torch.int64))

    def backward(
        self,
        losses: Mapping[str, Float[Tensor, ""]],
        *,
        boundary: Sequence[Shaped[Tensor, "..."]],
        parameters: Sequence[nn.Parameter],
        penalty: Float[Tensor, ""] | None = None,
        scale: Float[Tensor, ""] | float = 1.0,
    ) -> Weights:
        """Add the gradient of the weighted sum, and remember the losses for the step of s."""
        current = self.factor * torch.exp(-self.log_variance)
        weights = {task: current[self.places[task]] for task in losses}
        backward_weighted_sum(losses, weights, penalty, scale)
        for task, loss in losses.items():
            self.pending[self.places[task]] += loss.detach()
            self.seen[self.places[task]] = True
        return dict(weights)

    def after_step(self, measure: Callable[[], Mapping[str, Float[Tensor, ""]]] | None = None) -> None:
        """Move s of the tasks seen since the last step by one step of Adam; a loss that is 0 or not finite moves nothing."""
        moved = self.seen & self.pending.isfinite() & (self.pending != 0)  # of `tasks.X.weight=0`: s would fall until its weight is inf
        slope = 0.5 - self.factor * torch.exp(-self.log_variance) * self.pending
        state = {"steps": self.steps, "moment": self.moment, "square": self.square}
        self.log_variance -= adam(slope, moved, lr=self.lr, **state)
        self.pending.zero_()
        self.seen.zero_()

    def epoch_end(self, losses: Mapping[str, float]) -> None:
        """Nothing to do."""
