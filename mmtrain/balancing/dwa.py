"""Weights by how fast losses fall from epoch to epoch."""

import math
from collections.abc import Callable, Mapping, Sequence

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from mmtrain.balancing.balancer import Balancer, Weights
from mmtrain.balancing.weighted_sum import backward_weighted_sum
from mmtrain.option import Positive
from mmtrain.spec import TaskSpec


class DWA(Balancer):
    """Weigh the T tasks by T * softmax(r / temperature), where r is the mean train loss of the last epoch over that of the one before.

    A task whose loss falls slowly weighs more; the mean weight is 1. All weigh 1 until two epochs are over. A task without a loss in an
    epoch keeps its last two; one that has fewer counts as r = 1. `tasks.X.weight` falls out of r and goes on to multiply the loss.

    Source: Liu, Johns and Davison 2019, End-to-End Multi-Task Learning with Attention, equation 7 (dynamic weight average).
    """

    last: Float[Tensor, " T"]
    before: Float[Tensor, " T"]

    def __init__(self, tasks: Mapping[str, TaskSpec], *, temperature: Positive = 2.0) -> None:
        super().__init__()
        self.notes = []
        self.temperature = temperature
        self.places = {task: place for place, task in enumerate(sorted(tasks))}
        for name in ("last", "before"):
            self.register_buffer(name, torch.zeros(len(tasks)))  # 0: no such epoch yet

    def backward(
        self,
        losses: Mapping[str, Float[Tensor, ""]],
        *,
        boundary: Sequence[Shaped[Tensor, "..."]],
        parameters: Sequence[nn.Parameter],
        penalty: Float[Tensor, ""] | None = None,
        scale: Float[Tensor, ""] | float = 1.0,
    ) -> Weights:
        """Add the gradient of the sum with the weights of this epoch."""
        known = self.before > 0
        ratio = torch.where(known, self.last / torch.where(known, self.before, 1.0), 1.0)
        current = len(self.places) * torch.softmax(ratio / self.temperature, dim=0)
        weights = {task: current[self.places[task]] for task in losses}
        backward_weighted_sum(losses, weights, penalty, scale)
        return dict(weights)

    def after_step(self, measure: Callable[[], Mapping[str, Float[Tensor, ""]]] | None = None) -> None:
        """Nothing to do."""

    def epoch_end(self, losses: Mapping[str, float]) -> None:
        """Remember the epoch; a loss that is not finite is forgotten."""
        for task, loss in losses.items():
            if math.isfinite(loss):
                place = self.places[task]
                self.before[place] = self.last[place]
                self.last[place] = loss
