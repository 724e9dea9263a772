"""A smooth maximum of the losses."""

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor, nn

from mmtrain.balancing.balancer import Balancer, Weights
from mmtrain.balancing.blind import blind_notes
from mmtrain.balancing.weighted_sum import backward_weighted_sum
from mmtrain.balancing.whole import EPSILON, Whole
from mmtrain.option import Count, Positive
from mmtrain.spec import TaskSpec


class STCH(Balancer):
    """Minimise n * mu * log(sum of exp(log(loss / nadir) / mu)) over the n tasks in the batch: mostly the one that is worst for its scale.

    The smaller `mu`, the nearer to the maximum. `nadir` is a task's mean loss over the batches of the last of `warmup_epochs`, in
    which the sum of log(loss) is minimised. A task without a label in that epoch takes the next one in which it has some; until then
    its loss / nadir counts as 1. Losses have to be 0 or more; 1e-8 is added to each. A batch in several parts gets the weights of its
    losses as a whole, which costs another forward pass, and equals the batch in one.

    Source: Lin et al. 2024, Smooth Tchebycheff Scalarization for Multi-Objective Optimization, equation 7; logarithm, nadir, warm-up,
    the factor n and equal preferences of 1 as in the authors' code for multi-task learning. That code counts its 4 warm-up epochs from
    0 and includes the last, so that it has one more.
    """

    looks_ahead: ClassVar[bool] = True
    nadir: Float[Tensor, " T"]
    total: Float[Tensor, " T"]
    batches: Int[Tensor, " T"]
    epochs: Int[Tensor, ""]

    def __init__(self, tasks: Mapping[str, TaskSpec], *, mu: Positive = 1.0, warmup_epochs: Count = 4) -> None:
        super().__init__()
        begins = f"balancing=stch begins with epoch {warmup_epochs + 1}; until then it is balancing=log (balancing.warmup_epochs)"
        self.notes = [begins, *blind_notes("stch", tasks, "the nadir takes up a fixed factor of a loss, so that it changes nothing")]
        self.mu, self.warmup_epochs = mu, warmup_epochs
        self.whole = Whole(tasks)
        self.places = {task: place for place, task in enumerate(sorted(tasks))}
        for name in ("nadir", "total"):
            self.register_buffer(name, torch.zeros(len(tasks)))  # a nadir of 0: none yet
        self.register_buffer("batches", torch.zeros(len(tasks), dtype=torch.int64))
        self.register_buffer("epochs", torch.zeros((), dtype=torch.int64))

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
        """Add the gradient of the smooth maximum, or of the sum of logarithms during the warm-up."""
        weights: dict[str, Tensor | float] = dict.fromkeys(losses, 0.0)
        if whole := self.whole.look(losses):
            weights |= dict(zip(whole, self._weights(whole), strict=True))
        backward_weighted_sum(losses, weights, penalty, scale)
        return {task: weights[task] for task in losses}

    def after_step(self, measure: Callable[[], Mapping[str, Float[Tensor, ""]]] | None = None) -> None:
        """Count the losses of the batch towards the epoch's mean; one that is not finite is left out."""
        for task, loss in self.whole.losses.items():
            place, finite = self.places[task], loss.isfinite()
            self.total[place] += torch.where(finite, loss, 0.0)
            self.batches[place] += finite
        self.whole.forget()

    def epoch_end(self, losses: Mapping[str, float]) -> None:
        """From the end of the warm-up on, take the epoch's means as nadir of the tasks that have none."""
        self.epochs += 1
        taken = (self.epochs >= self.warmup_epochs) & (self.nadir == 0) & (self.batches > 0)
        self.nadir.copy_(torch.where(taken, self.total / self.batches.clamp(min=1), self.nadir))
        self.total.zero_()
        self.batches.zero_()

    def _weights(self, whole: Mapping[str, Float[Tensor, ""]]) -> Float[Tensor, " n"]:
        positive = torch.stack(list(whole.values())) + EPSILON
        nadir = torch.stack([self.nadir[self.places[task]] for task in whole])
        logarithm = torch.where(nadir > 0, positive / nadir, 1.0).log()
        share = len(whole) * torch.softmax(logarithm / self.mu, dim=0)
        return torch.where(self.epochs < self.warmup_epochs, 1.0, share) / positive
