"""Gradients of like size for tasks that learn at like rates."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import torch
from jaxtyping import Bool, Float, Shaped
from torch import Tensor, nn

from mmtrain import processes
from mmtrain.balancing.balancer import Balancer, Weights
from mmtrain.balancing.collected import Collected
from mmtrain.balancing.conflicts import Conflicts
from mmtrain.balancing.gradients import blind
from mmtrain.balancing.rows import feature_rows
from mmtrain.balancing.weighted_sum import backward_weighted_sum
from mmtrain.option import NonNegative, Positive
from mmtrain.spec import TaskSpec

SMALLEST = 0.01  # a weight that a step would take below zero would make its task's loss grow


class GradNorm(Balancer):
    """Learn weights under which each task's weighted gradient has the mean norm, the more the slower the task has learned so far.

    With n the norms of the tasks' gradients, w the weights and r a task's loss over its first one, divided by the mean of that over
    the tasks, the target of w * n is mean(w * n) * r ** `alpha`, taken as a constant. Once a step w goes down the slope of the sum
    of the distances from it, by `lr` times n / mean(w * n) towards the target; then the weights are scaled to sum to the number of tasks.
    They multiply the whole of a loss, also behind the boundary. A task without a loss in a batch keeps its weight.

    `level` says where norms are taken: with respect to what lies at the boundary, or to the parameters that several tasks use. Parts
    of a batch enter by the root of the sum of their squares, which at the boundary is exact.

    Source: Chen et al. 2018, algorithm 1 and equations 1 and 2. The paper takes the norms with respect to the weights of the last
    shared layer. We divide the slope by the mean norm, so that `lr` means the same whatever the scale of losses and features, and
    keep the weights above 0.01.
    """

    weight: Float[Tensor, " T"]
    first: Float[Tensor, " T"]
    known: Bool[Tensor, " T"]
    loss: Float[Tensor, " T"]
    square: Float[Tensor, " T"]
    seen: Bool[Tensor, " T"]

    def __init__(
        self,
        tasks: Mapping[str, TaskSpec],
        *,
        alpha: NonNegative = 1.5,
        lr: Positive = 0.025,
        level: Literal["features", "parameters"] = "features",
    ) -> None:
        super().__init__()
        self.level, self.lr, self.alpha = level, lr, alpha
        self.places = {task: place for place, task in enumerate(sorted(tasks))}
        self.conflicts = Conflicts(list(self.places))
        self.notes = blind("gradnorm", tasks)
        self.register_buffer("weight", torch.ones(len(tasks)))
        for name in ("first", "loss", "square"):
            self.register_buffer(name, torch.zeros(len(tasks)))
        for name in ("known", "seen"):
            self.register_buffer(name, torch.zeros(len(tasks), dtype=torch.bool))

    def backward(
        self,
        losses: Mapping[str, Float[Tensor, ""]],
        *,
        boundary: Sequence[Shaped[Tensor, "..."]],
        parameters: Sequence[nn.Parameter],
        penalty: Float[Tensor, ""] | None = None,
        scale: Float[Tensor, ""] | float = 1.0,
    ) -> Weights:
        """Add the gradient of the weighted sum, and remember losses and norms for the step of the weights."""
        weights = {task: self.weight[place].clone() for task, place in self.places.items() if task in losses}
        if losses and self.level == "features":
            rows, tensors = feature_rows(losses, boundary, self.places)
            if tensors or processes.count() > 1:
                self._remember(rows.places, processes.added(rows.gramian()))
        elif losses:
            collected = Collected(self.places)
            collected.add(losses, parameters, scale)
            collected.join()
            for users, numbers in collected.blocks().items():
                if len(users) > 1:
                    self._remember([self.places[task] for task in users], collected.of(users, numbers).gramian())
        for task, loss in losses.items():
            self.loss[self.places[task]] += loss.detach()
        backward_weighted_sum(losses, weights, penalty, scale)
        return dict(weights)

    def _remember(self, places: Sequence[int], gramian: Float[Tensor, "N N"]) -> None:
        self.conflicts.add(places, gramian)
        for row, place in enumerate(places):
            self.square[place] += gramian[row, row]
            self.seen[place] = True

    def after_step(self, measure: Callable[[], Mapping[str, Float[Tensor, ""]]] | None = None) -> None:
        """Move the weights of the tasks seen since the last step, if losses and norms are finite."""
        moved = self.seen & self.loss.isfinite() & self.square.isfinite() & (self.loss > 0)
        self.first.copy_(torch.where(moved & ~self.known, self.loss, self.first))
        self.known |= moved
        norm = self.square.sqrt()
        progress = torch.where(moved, self.loss / self.first, 0)
        rate = progress / _mean(progress, moved)
        mean = _mean(self.weight * norm, moved)
        slope = norm / mean * torch.sign(self.weight * norm - mean * rate**self.alpha)
        stepped = (self.weight - self.lr * slope).clamp(min=SMALLEST)
        total = torch.where(moved, self.weight, 0).sum() / torch.where(moved, stepped, 0).sum()
        new = stepped * total
        self.weight.copy_(torch.where(moved & new.isfinite(), new, self.weight))
        for part in (self.loss, self.square, self.seen):
            part.zero_()
        self.conflicts.after_step()

    def epoch_end(self, losses: Mapping[str, float]) -> None:
        """Nothing to do."""

    def diagnostics(self) -> dict[str, float]:
        """Norms and cosines of the tasks' gradients, without the weights."""
        return self.conflicts.numbers()


def _mean(values: Float[Tensor, " T"], used: Bool[Tensor, " T"]) -> Float[Tensor, ""]:
    return torch.where(used, values, 0).sum() / used.sum().clamp(min=1)
