"""Weights by learned scales of the losses."""

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


class IMTLL(Balancer):
    """Learn a scale for each loss that brings it to 1: the sum of exp(s) * loss - s over the tasks.

    `lr` is the step of s, by an Adam of its own, once per optimizer step. A task without a loss in a step keeps its s and its
    moments; so does one whose loss is 0 or not finite. s follows the loss of the whole batch, in however many parts it comes.

    Source: Liu et al. 2021, Towards Impartial Multi-Task Learning, section 3.2 (IMTL-L), with a = e and b = 1. The paper
    learns s with the model's optimizer; an own one keeps decay and clipping away from it.
    """

    log_scale: Float[Tensor, " T"]
    pending: Float[Tensor, " T"]
    seen: Bool[Tensor, " T"]
    steps: Int[Tensor, " T"]
    moment: Float[Tensor, " T"]
    square: Float[Tensor, " T"]

    def __init__(self, tasks: Mapping[str, TaskSpec], *, lr: Positive = 0.01) -> None:
        super().__init__()
        why = "the learned scale takes up a fixed factor of a loss, so that in the end it changes nothing"
        self.notes = blind_notes("imtl_l", tasks, why)
        self.lr = lr
        self.places = {task: place for place, task in enumerate(sorted(tasks))}
        for name in ("log_scale", "pending", "moment", "square"):
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
        """Add the gradient of the scaled sum, and remember the losses for the step of s."""
        current = self.log_scale.exp()
        weights = {task: current[self.places[task]] for task in losses}
        backward_weighted_sum(losses, weights, penalty, scale)
        for task, loss in losses.items():
            self.pending[self.places[task]] += loss.detach()
            self.seen[self.places[task]] = True
        return dict(weights)

    def after_step(self, measure: Callable[[], Mapping[str, Float[Tensor, ""]]] | None = None) -> None:
        """Move s of the tasks seen since the last step by one step of Adam."""
        moved = self.seen & self.pending.isfinite() & (self.pending > 0)  # no scale brings a loss of 0 to 1: s would grow for ever
        slope = self.log_scale.exp() * self.pending - 1
        state = {"steps": self.steps, "moment": self.moment, "square": self.square}
        self.log_scale -= adam(slope, moved, lr=self.lr, **state)
        self.pending.zero_()
        self.seen.zero_()

    def epoch_end(self, losses: Mapping[str, float]) -> None:
        """Nothing to do."""
