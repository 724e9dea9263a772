"""Weights that make all losses fall at the same rate."""

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor, nn

from mmtrain.balancing.adam import adam
from mmtrain.balancing.balancer import Balancer, Weights
from mmtrain.balancing.blind import blind_notes
from mmtrain.balancing.weighted_sum import backward_weighted_sum
from mmtrain.balancing.whole import EPSILON, Whole
from mmtrain.option import NonNegative, Positive
from mmtrain.spec import TaskSpec


class FAMO(Balancer):
    """Weigh the n tasks in the batch by n * c * z / loss, where z = softmax(w) and c makes the weights of the batch sum to n.

    After each step the losses of the same batch are measured anew, and w moves towards the tasks whose log(loss) fell least: by
    an Adam of its own with step `lr` and `decay` (a term decay * w in the slope), once per optimizer step. That costs
    another forward pass, with the random draws of the first: what has changed is the step's doing. Only tasks in the batch count, in
    z too; all others keep their w and moments. So does one whose loss is not finite.

    Losses have to be 0 or more; 1e-8 is added to each, and one of exactly 0 counts as not in the batch. A batch in several parts gets
    the weights of its losses as a whole, which costs one more forward pass, and equals the batch in one.

    Source: Liu et al. 2023, FAMO: Fast Adaptive Multitask Optimization, algorithm 1, with lower bounds 0; Adam with lr 0.025 and
    decay 0.001 as printed there (the authors' code goes from 1e-5 to 1e-2). The factor n is ours: with it, gradients stay as large
    as those of the sum, however many tasks have a label.
    """

    looks_ahead: ClassVar[bool] = True
    measures: ClassVar[bool] = True
    logit: Float[Tensor, " T"]
    steps: Int[Tensor, " T"]
    moment: Float[Tensor, " T"]
    square: Float[Tensor, " T"]

    def __init__(self, tasks: Mapping[str, TaskSpec], *, lr: Positive = 0.025, decay: NonNegative = 0.001) -> None:
        super().__init__()
        self.notes = blind_notes("famo", tasks, "only ratios of a loss to itself count, so that a factor favours no task")
        self.lr, self.decay = lr, decay
        self.whole = Whole(tasks)
        self.places = {task: place for place, task in enumerate(sorted(tasks))}
        for name in ("logit", "moment", "square"):
            self.register_buffer(name, torch.zeros(len(tasks)))
        self.register_buffer("steps", torch.zeros(len(tasks), dtype=torch.int64))

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
        """Add the gradient of the weighted sum; the losses are remembered."""
        weights: dict[str, Tensor | float] = dict.fromkeys(losses, 0.0)
        if whole := self.whole.look(losses):
            found = torch.stack(list(whole.values()))
            there = found != 0  # a loss of exactly 0 asks for nothing, and would take all weight from the others
            logit = torch.stack([self.logit[self.places[task]] for task in whole])
            lowest = torch.finfo(found.dtype).min
            share = torch.softmax(torch.where(there, logit - (found + EPSILON).log(), lowest), dim=0)
            weights |= dict(zip(whole, torch.where(there, there.sum() * share, 0.0), strict=True))
        backward_weighted_sum(losses, weights, penalty, scale)
        return {task: weights[task] for task in losses}

    def after_step(self, measure: Callable[[], Mapping[str, Float[Tensor, ""]]] | None = None) -> None:
        """Move w by what the step has changed; without `measure`, not at all."""
        if measure is not None and self.whole.losses:
            after = measure()
            fall = torch.full_like(self.logit, torch.nan)
            for task, before in self.whole.losses.items():
                fallen = (before + EPSILON).log() - (after[task] + EPSILON).log()
                fall[self.places[task]] = torch.where(before == 0, torch.nan, fallen)
            self._move(fall)
        self.whole.forget()

    def epoch_end(self, losses: Mapping[str, float]) -> None:
        """Nothing to do."""

    def _move(self, fall: Float[Tensor, " T"]) -> None:
        """One step of Adam down the slope of the sum of z * fall, over the tasks whose fall is a number."""
        moved = fall.isfinite()
        fall = torch.where(moved, fall, 0.0)
        share = torch.where(moved, torch.softmax(torch.where(moved, self.logit, -torch.inf), dim=0), 0.0)
        slope = share * (fall - (share * fall).sum()) + self.decay * self.logit
        self.logit -= adam(slope, moved, lr=self.lr, steps=self.steps, moment=self.moment, square=self.square)
