"""The losses of a whole batch, for methods whose weights follow from them."""

from collections.abc import Mapping

from jaxtyping import Float
from torch import Tensor

from mmtrain.spec import TaskSpec

EPSILON = 1e-8  # what a loss of 0 counts as where it is divided by or its logarithm is taken


class Whole:
    """Each task's loss over all parts of a batch, without graph, in sorted order; without tasks whose `tasks.X.weight` is 0.

    `announce` is told by `look_ahead`. Where it was not, what `look` is given is the whole batch.
    """

    def __init__(self, tasks: Mapping[str, TaskSpec]) -> None:
        self.tasks = sorted(task for task, spec in tasks.items() if spec.weight > 0)
        self.losses: dict[str, Float[Tensor, ""]] = {}
        self.announced = False

    def announce(self, losses: Mapping[str, Float[Tensor, ""]]) -> None:
        """Keep these until `forget`."""
        self.losses = {task: losses[task].detach() for task in self.tasks if task in losses}
        self.announced = True

    def look(self, losses: Mapping[str, Float[Tensor, ""]]) -> dict[str, Float[Tensor, ""]]:
        """The losses of the batch that these are a part of."""
        if not self.announced:
            self.losses = {task: losses[task].detach() for task in self.tasks if task in losses}
        return self.losses

    def forget(self) -> None:
        """The batch is done."""
        self.losses, self.announced = {}, False
