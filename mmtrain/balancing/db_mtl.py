"""Losses on the scale of logarithms, gradients on the scale of the largest."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor, nn

from mmtrain.balancing.balancer import Balancer, Weights
from mmtrain.balancing.collected import Collected
from mmtrain.balancing.conflicts import Conflicts
from mmtrain.balancing.gradients import blind
from mmtrain.balancing.weighted_sum import backward_weighted_sum
from mmtrain.option import NonNegative, Range
from mmtrain.spec import TaskSpec

EPSILON = 1e-8  # keeps the logarithm of a loss of 0 finite


class DBMTL(Balancer):
    """Take gradients of the logarithms of the losses, smooth them over the steps, and bring each task's to the largest norm of all.

    `beta` is what the past weighs in the average, which starts at 0; in a task's k-th step it is beta / k ** `sigma`. Parameters that
    several tasks of the batch use get the sum of the scaled averages; what one task uses gets the plain gradient of its logarithm. Always
    works on the parameters, one backward a task, because features of two batches cannot be averaged; parts of a batch are one
    batch, exactly. The state holds a copy of all parameters a task, in checkpoints too; it starts anew when other parameters
    are trained than before. A task without a loss in a batch keeps its average and adds nothing. The method has no weights.

    Source: Lin et al. 2023, Dual-Balancing for Multi-Task Learning (DB-MTL), algorithm 1.
    """

    average: Float[Tensor, "T P"]
    steps: Int[Tensor, " T"]

    def __init__(self, tasks: Mapping[str, TaskSpec], *, beta: Annotated[float, Range(0, below=1)] = 0.9, sigma: NonNegative = 0.0) -> None:
        super().__init__()
        self.beta, self.sigma = beta, sigma
        self.places = {task: place for place, task in enumerate(sorted(tasks))}
        self.collected, self.conflicts = Collected(self.places), Conflicts(list(self.places))
        self.notes = blind("db_mtl", tasks)
        self.register_buffer("average", torch.zeros(len(tasks), 0))
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
        """Collect the rows, and add the gradient of the penalty."""
        self.collected.add(losses, parameters, scale)
        backward_weighted_sum({}, {}, penalty, scale)
        return {}

    def before_step(self) -> Weights:
        """Add to `.grad`, and move the averages; where a row is not finite, its gradients are not either and its average stays."""
        self.collected.join()
        rows, blocks = self.collected.rows, self.collected.blocks()
        shared = {number for users, numbers in blocks.items() if len(users) > 1 for number in numbers}
        averages = {task: self._averaged(task) for task in sorted(rows)}
        squares = {task: sum((parts[number].square().sum() for number in shared), 0.0) for task, parts in averages.items()}
        if shared:
            norms = torch.stack([torch.as_tensor(square).sqrt() for square in squares.values()])
            factors = dict(zip(squares, norms.max() / norms.clamp(min=EPSILON), strict=True))
        for users, numbers in blocks.items():
            if len(users) > 1:
                self.conflicts.add([self.places[task] for task in users], self.collected.of(users, numbers).gramian())
            for number in numbers:
                if number in shared:
                    self.collected.write(number, torch.stack([factors[task] * averages[task][number] for task in averages]).sum(0))
                else:
                    self.collected.write(number, self._row(users[0], number))
        self.collected.clear()
        return dict.fromkeys(averages)

    def _row(self, task: str, number: int) -> Tensor:
        """The gradient of the logarithm of a task's loss with respect to a parameter; zeros where it does not use it."""
        found = self.collected.rows[task][number]
        if found is None:
            return torch.zeros_like(self.collected.parameters[number])
        return found / (self.collected.losses[task] + EPSILON)

    def _averaged(self, task: str) -> list[Tensor]:
        """Move a task's average; it comes back parameter by parameter."""
        parameters, place = self.collected.parameters, self.places[task]
        row = torch.cat([self._row(task, number).reshape(-1) for number in range(len(parameters))])
        if self.average.shape[1] != len(row):
            self.average, self.steps = row.new_zeros(len(self.places), len(row)), torch.zeros_like(self.steps)
        beta = self.beta / (self.steps[place] + 1) ** self.sigma
        new, finite = beta * self.average[place] + (1 - beta) * row, row.isfinite().all()
        self.average[place] = torch.where(finite, new, self.average[place])
        self.steps[place] += finite
        parts = new.split([parameter.numel() for parameter in parameters])
        return [part.reshape(parameter.shape) for part, parameter in zip(parts, parameters, strict=True)]

    def after_step(self, measure: Callable[[], Mapping[str, Float[Tensor, ""]]] | None = None) -> None:
        """The batch is over."""
        self.conflicts.after_step()

    def epoch_end(self, losses: Mapping[str, float]) -> None:
        """Nothing to do."""

    def load_state_dict(self, state_dict: Mapping[str, Any], *args: Any, **options: Any) -> Any:
        """Take up averages of any number of parameters."""
        self.average = torch.zeros_like(state_dict["average"], device=self.average.device)
        return super().load_state_dict(state_dict, *args, **options)

    def diagnostics(self) -> dict[str, float]:
        """Norms and cosines of the tasks' gradients, of the losses as they are."""
        return self.conflicts.numbers()
