"""The gradients of the tasks with respect to the parameters, collected over the parts of a batch."""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from mmtrain import processes
from mmtrain.balancing.rows import Rows


class Collected:
    """Sums of each task's gradients over the calls since `clear`, without the loss scale, so that they are those of the whole batch.

    `rows[task][k]` belongs to the k-th parameter and is None where the task does not use it. Holds a copy of all shared parameters a task.
    """

    def __init__(self, places: Mapping[str, int]) -> None:
        self.places = places
        self.clear()

    def clear(self) -> None:
        """Forget the batch."""
        self.parameters: list[nn.Parameter] = []
        self.scale: Tensor | float = 1.0
        self.rows: dict[str, list[Tensor | None]] = {}
        self.losses: dict[str, Tensor] = {}

    def add(self, losses: Mapping[str, Float[Tensor, ""]], parameters: Sequence[nn.Parameter], scale: Float[Tensor, ""] | float) -> None:
        """One backward a task. The graph stays, for what else goes backward."""
        self.parameters, self.scale = list(parameters), scale
        for task, loss in losses.items():
            # Scaled on the way, as fp16 needs it: small gradients would vanish.
            found = torch.autograd.grad(scale * loss, self.parameters, retain_graph=True, allow_unused=True)
            new = [None if gradient is None else gradient / scale for gradient in found]
            self.rows[task] = [_sum(old, more) for old, more in zip(self.rows.get(task, [None] * len(new)), new, strict=True)]
            self.losses[task] = loss.detach() + self.losses.get(task, 0)

    def join(self) -> None:
        """Once all parts are here: the rows over all processes, each of which has called `add` with the same tasks."""
        for task in sorted(self.rows):
            self.rows[task] = processes.summed(self.rows[task], self.parameters)

    def blocks(self) -> dict[tuple[str, ...], list[int]]:
        """Numbers of the parameters by the tasks that use them, the largest block last."""
        found: dict[tuple[str, ...], list[int]] = {}
        tasks = sorted(self.rows, key=self.places.__getitem__)
        for number in range(len(self.parameters)):
            users = tuple(task for task in tasks if self.rows[task][number] is not None)
            found.setdefault(users, []).append(number)
        found.pop((), None)
        return dict(sorted(found.items(), key=lambda block: sum(self.parameters[number].numel() for number in block[1])))

    def of(self, users: Sequence[str], numbers: Sequence[int]) -> Rows:
        """The rows of a block."""
        values = [torch.stack([row for task in users if (row := self.rows[task][number]) is not None]) for number in numbers]
        return Rows([self.places[task] for task in users], torch.stack([self.losses[task] for task in users]), values)

    def write(self, number: int, gradient: Tensor) -> None:
        """Add to a parameter's `.grad`, with the loss scale."""
        parameter, scaled = self.parameters[number], self.scale * gradient
        parameter.grad = scaled.to(parameter.dtype) if parameter.grad is None else parameter.grad + scaled


def _sum(old: Tensor | None, more: Tensor | None) -> Tensor | None:
    return old if more is None else more if old is None else old + more
