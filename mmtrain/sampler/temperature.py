"""Tasks between their natural shares and equal ones."""

import math
from collections.abc import Mapping
from typing import Annotated

import numpy as np
from jaxtyping import Int

from mmtrain.option import Count, Range
from mmtrain.sampler.systematic import drawn_by_task


class Temperature:
    """Draw a task with n labels in proportion to n ** (1 / temperature), and each time any of the rows with its label.

    A temperature of 1 keeps the natural shares (`Proportional`), the higher it is the closer they come to equal ones (`Equal`). With
    `cap` n counts as at most so many, so that no task is too large for its share to grow.

    Source: Raffel et al. 2020, section 3.5.2, "temperature-scaled mixing" (their limit K is our `cap`); Xue et al. 2021 write
    the exponent as alpha, 0.3 there. We sample systematically, and a row may have labels of several tasks.
    """

    def __init__(
        self,
        rows: int,
        targets: Mapping[str, np.ndarray],
        labelled: Mapping[str, np.ndarray],
        *,
        temperature: Annotated[float, Range(1)] = 2.0,
        cap: Count | None = None,
    ) -> None:
        limit = math.inf if cap is None else cap
        self.draw = drawn_by_task(labelled, {task: min(int(mask.sum()), limit) ** (1 / temperature) for task, mask in labelled.items()})

    def __call__(self, seed: int, epoch: int) -> Int[np.ndarray, " n"]:
        """The rows of an epoch, in random order."""
        return self.draw(seed, epoch)
