"""Weights by the number of labels."""

from collections.abc import Callable, Mapping, Sequence

from jaxtyping import Float, Shaped
from torch import Tensor, nn

from mmtrain.balancing.balancer import Balancer, Weights
from mmtrain.balancing.weighted_sum import backward_weighted_sum
from mmtrain.option import NonNegative
from mmtrain.spec import TaskSpec

NOTEWORTHY = 1.1  # ratio of the largest to the smallest weight from which on the double correction is worth a line


class Size(Balancer):
    """Weigh each task by (its number of train labels) ** -exponent, rescaled so that the mean over the tasks is 1.

    A task's loss is a mean over its labelled rows, which by itself makes tasks equal whatever their numbers of labels: these
    weights then favour the rare task a second time, and `notes` says so. They are right where a batch seldom holds a
    label of the rare task, which then has no loss in most steps.
    """

    def __init__(self, tasks: Mapping[str, TaskSpec], *, exponent: NonNegative = 1.0) -> None:
        super().__init__()
        raw = {task: spec.labels**-exponent for task, spec in tasks.items()}
        mean = sum(raw.values()) / len(raw)
        self.weights = {task: weight / mean for task, weight in raw.items()}
        self.notes = _notes(tasks, self.weights)

    def backward(
        self,
        losses: Mapping[str, Float[Tensor, ""]],
        *,
        boundary: Sequence[Shaped[Tensor, "..."]],
        parameters: Sequence[nn.Parameter],
        penalty: Float[Tensor, ""] | None = None,
        scale: Float[Tensor, ""] | float = 1.0,
    ) -> Weights:
        """Add the gradient of the sum with these weights; an absent task does not change another's weight."""
        backward_weighted_sum(losses, self.weights, penalty, scale)
        return {task: self.weights[task] for task in losses}

    def after_step(self, measure: Callable[[], Mapping[str, Float[Tensor, ""]]] | None = None) -> None:
        """Nothing to do."""

    def epoch_end(self, losses: Mapping[str, float]) -> None:
        """Nothing to do."""


def _notes(tasks: Mapping[str, TaskSpec], weights: Mapping[str, float]) -> list[str]:
    rare, common = max(weights, key=weights.__getitem__), min(weights, key=weights.__getitem__)
    ratio = weights[rare] / weights[common]
    if ratio < NOTEWORTHY:
        return []
    counts = f"'{rare}' ({tasks[rare].labels} labels) weighs {ratio:.3g} times as much as '{common}' ({tasks[common].labels} labels)"
    return [
        "balancing=size corrects for the number of labels a second time: a loss is a mean over labelled rows, so that tasks already weigh "
        f"alike; now {counts}. It is meant for tasks so rare that most batches hold no label of theirs; otherwise use balancing=fixed"
    ]
