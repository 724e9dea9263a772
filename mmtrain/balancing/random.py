"""Random weights."""

import random
from collections.abc import Callable, Mapping, Sequence
from math import exp

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor, nn

from mmtrain.balancing.balancer import Balancer, Weights
from mmtrain.balancing.weighted_sum import backward_weighted_sum
from mmtrain.spec import TaskSpec


class Random(Balancer):
    """Draw new weights for every step: T times the softmax of T normal numbers, so that their mean over the T tasks is 1.

    Drawn for all tasks alike, absent or not: whether one has a label changes no other's weight. Weights follow from the seed of the
    run and the number of the step, and disturb no other random number.

    Source: Lin et al. 2022, Reasonable Effectiveness of Random Weighting (RLW), section 3, with the normal distribution; its weights
    sum to 1. The factor T is ours: with it, gradients are on average those of the plain sum.
    """

    def __init__(self, tasks: Mapping[str, TaskSpec]) -> None:
        super().__init__()
        self.notes = []
        self.tasks = sorted(tasks)
        self.seed, self.step, self.used = torch.initial_seed(), 0, False
        self.weights = self._drawn()

    def backward(
        self,
        losses: Mapping[str, Float[Tensor, ""]],
        *,
        boundary: Sequence[Shaped[Tensor, "..."]],
        parameters: Sequence[nn.Parameter],
        penalty: Float[Tensor, ""] | None = None,
        scale: Float[Tensor, ""] | float = 1.0,
    ) -> Weights:
        """Add the gradient of the sum with the weights of this step."""
        self.used = self.used or bool(losses)
        backward_weighted_sum(losses, self.weights, penalty, scale)
        return {task: self.weights[task] for task in losses}

    def after_step(self, measure: Callable[[], Mapping[str, Float[Tensor, ""]]] | None = None) -> None:
        """Draw the next weights."""
        self.step += self.used
        self.used = False
        self.weights = self._drawn()

    def epoch_end(self, losses: Mapping[str, float]) -> None:
        """Nothing to do."""

    def get_extra_state(self) -> Int[Tensor, " 2"]:
        """Seed and step: the host draws, so that no GPU has to be asked for the number of the step."""
        return torch.tensor([self.seed, self.step])

    def set_extra_state(self, state: Int[Tensor, " 2"]) -> None:
        """Go on where `get_extra_state` was called."""
        self.seed, self.step = state.tolist()
        self.weights = self._drawn()

    def _drawn(self) -> dict[str, float]:
        generator = random.Random(f"{self.seed} {self.step}")
        drawn = {task: exp(generator.gauss(0.0, 1.0)) for task in self.tasks}
        total = sum(drawn.values())
        return {task: len(drawn) * number / total for task, number in drawn.items()}
