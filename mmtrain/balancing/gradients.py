"""The way of a gradient method from losses to `.grad`, at both levels."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from mmtrain import processes
from mmtrain.balancing.balancer import Weights
from mmtrain.balancing.collected import Collected
from mmtrain.balancing.conflicts import Conflicts
from mmtrain.balancing.rows import Rows, feature_rows
from mmtrain.balancing.weighted_sum import backward_weighted_sum
from mmtrain.spec import TaskSpec

# rows, their Gramian, the factor that normalises each row -> the combination, tensor by tensor, and the weight of each row if it has any
Rule = Callable[[Rows, Tensor, Tensor], tuple[list[Tensor], Tensor | None]]


@dataclass(frozen=True)
class Compared:
    """Two or more rows, none of them zero, all finite: their Gramian on the CPU, divided by its mean diagonal `size`."""

    gramian: Float[Tensor, "N N"]
    places: Sequence[int]
    size: float


class Gradients:
    """Combines the tasks' gradients by a rule. What a method has to say and to keep beside its rule is its own.

    `features`: rows with respect to the boundary, for which the heads alone run backward once a task. One ordinary backward of the
    plain sum follows, with what the combination differs from the sum of the rows added at the boundary: heads and gates get the
    plain sum, all that lies before the boundary the combination. Each call is combined by itself: with `training.accumulate` not
    exactly as one batch would be, and with weights of its own.

    `parameters`: rows with respect to the parameters, one backward a task, summed over the parts of the batch and combined in
    `before_step`, exactly. Parameters that the same tasks use are one block, combined from just these tasks' rows; what one task
    uses gets its plain gradient. Weights reported are those of the largest block of a task.

    `normalisation` scales the rows first: `unit` to the same norm, `loss` by one over the loss, each so that the mean norm, or
    loss, stays what it is.

    Of several processes each has the rows of its own features, so that their Gramians add up to that of the batch; rows with
    respect to parameters are summed before they are combined.
    """

    def __init__(self, name: str, tasks: Mapping[str, TaskSpec], rule: Rule, *, level: str, normalisation: str) -> None:
        self.places = {task: place for place, task in enumerate(sorted(tasks))}
        self.rule, self.level, self.normalisation = rule, level, normalisation
        self.collected, self.conflicts = Collected(self.places), Conflicts(list(self.places))
        self.notes = far_apart(name, tasks, level)
        if normalisation != "none":
            self.notes += blind(f"{name} with normalisation={normalisation}", tasks)

    def backward(
        self,
        losses: Mapping[str, Float[Tensor, ""]],
        *,
        boundary: Sequence[Shaped[Tensor, "..."]],
        parameters: Sequence[nn.Parameter],
        penalty: Float[Tensor, ""] | None = None,
        scale: Float[Tensor, ""] | float = 1.0,
    ) -> Weights:
        """Add to `.grad` at level features; at level parameters keep the rows until `before_step`, which knows the weights, too."""
        if self.level == "parameters" or not losses:
            self.collected.add(losses, parameters, scale)
            backward_weighted_sum({}, {}, penalty, scale)
            return {}
        rows, tensors = feature_rows(losses, boundary, self.places)
        if not tensors and processes.count() == 1:
            backward_weighted_sum(losses, dict.fromkeys(losses, 1.0), penalty, scale)
            return dict.fromkeys(losses, 1.0)
        gramian = processes.added(rows.gramian())
        self.conflicts.add(rows.places, gramian)
        combined, weights = self._combined(rows, gramian)
        terms = list(losses.values()) if penalty is None else [*losses.values(), penalty]
        difference = [scale * (vector - part.sum(0)) for vector, part in zip(combined, rows.values, strict=True)]
        torch.autograd.backward([scale * reduce(torch.add, terms), *tensors], [None, *difference])
        return _named(sorted(losses), weights)

    def before_step(self) -> Weights:
        """Complete `.grad` at level parameters."""
        found: Weights = {}
        self.collected.join()
        for users, numbers in self.collected.blocks().items():
            rows = self.collected.of(users, numbers)
            gramian = rows.gramian()
            if len(users) > 1:
                self.conflicts.add(rows.places, gramian)
            combined, weights = self._combined(rows, gramian)
            for number, vector in zip(numbers, combined, strict=True):
                self.collected.write(number, vector)
            found |= {task: weight for task, weight in _named(users, weights).items() if len(users) > 1 or task not in found}
        self.collected.clear()
        return found

    def after_step(self) -> None:
        """The batch is over."""
        self.conflicts.after_step()

    def _combined(self, rows: Rows, gramian: Float[Tensor, "N N"]) -> tuple[list[Tensor], Tensor | None]:
        return self.rule(rows, gramian, _factors(rows, gramian, self.normalisation))


def by_weights(weigh: Callable[[Compared], Float[Tensor, " N"]]) -> Rule:
    """The rule of a method that knows its weights from the Gramian alone. It waits for the device once, for the Gramian.

    A row of zeros, and a row that is alone, weighs 1 and takes no part in the comparison. Where a row is not finite no weight is,
    and so no gradient: the loss scaler skips the step.
    """

    def rule(rows: Rows, gramian: Tensor, factors: Tensor) -> tuple[list[Tensor], Tensor]:
        scaled = (factors[:, None] * gramian * factors).cpu().double()
        weights = _weights(weigh, scaled, rows.places).to(factors) * factors
        return rows.combined(weights), weights

    return rule


def _weights(weigh: Callable[[Compared], Tensor], gramian: Float[Tensor, "N N"], places: Sequence[int]) -> Float[Tensor, " N"]:
    weights = torch.ones(len(places), dtype=gramian.dtype)
    if not gramian.isfinite().all():
        return weights * torch.nan
    active = [row for row in range(len(places)) if gramian[row, row] > 0]
    if len(active) > 1:
        part = gramian[active][:, active]
        size = float(part.diagonal().mean())
        weights[active] = weigh(Compared(part / size, [places[row] for row in active], size))
    return weights


def _factors(rows: Rows, gramian: Float[Tensor, "N N"], normalisation: str) -> Float[Tensor, " N"]:
    if normalisation == "none" or len(rows.places) == 1:
        return torch.ones_like(gramian[0])
    sizes = gramian.diagonal().sqrt() if normalisation == "unit" else rows.losses.to(gramian)
    usable = sizes > 0  # a row of zeros stays one; the logarithm of a loss below zero has no gradient to speak of
    mean = torch.where(usable, sizes, 0).sum() / usable.sum().clamp(min=1)
    return torch.where(usable, mean / sizes, 1.0)


def _named(tasks: Sequence[str], weights: Tensor | None) -> Weights:
    return dict.fromkeys(tasks) if weights is None else {task: weights[row] for row, task in enumerate(tasks)}


def far_apart(name: str, tasks: Mapping[str, TaskSpec], level: str) -> list[str]:
    """What to know about comparing tasks at the boundary."""
    if level == "parameters" or len(tasks) == 1:
        return []
    return [
        f"balancing={name} compares the tasks where their heads begin, row by row: tasks that are never labelled in the same row, or "
        "share no tensor there, look free of conflict; balancing.level=parameters compares them where they do meet, at one backward a task"
    ]


def blind(name: str, tasks: Mapping[str, TaskSpec]) -> list[str]:
    """What to know about weights from the configuration under a method that a factor of a loss does not turn."""
    weighted = [f"tasks.{task}.weight={spec.weight:g}" for task, spec in tasks.items() if spec.weight != 1]
    if not weighted:
        return []
    return [f"balancing={name}: {', '.join(weighted)}: the method evens out a fixed factor of a loss; use balancing=fixed to weigh tasks"]
