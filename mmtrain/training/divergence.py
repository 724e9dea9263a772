"""A run whose losses are no numbers any more is stopped."""

import math
from collections.abc import Mapping

from mmtrain.errors import Problem, UserError


def refuse_divergence(losses: Mapping[str, float | None], step: int) -> None:
    """Raise where a loss is not finite; None is no loss.

    Raises:
        UserError: the tasks that have diverged by this step.
    """
    problems = [
        Problem(f"tasks.{task}", f"the loss is {loss} at step {step}", "lower optimizer.lr or training.clip")
        for task, loss in losses.items()
        if loss is not None and not math.isfinite(loss)
    ]
    if problems:
        raise UserError(*problems)
