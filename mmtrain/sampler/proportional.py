"""Tasks as often as they have labels."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Int

from mmtrain.sampler.systematic import drawn_by_task


class Proportional:
    """Draw every task in proportion to its number of labels, and each time any of the rows with its label.

    Where each row has one label this takes every row once, as `Shuffle` does; else a row comes as often as it has labels, compared
    with the mean over the labelled rows.

    Source: "proportional" sampling of jiant (Phang et al. 2020); we sample systematically, and a row may have labels of several tasks.
    """

    def __init__(
        self,
        rows: int,
        targets: Mapping[str, np.ndarray],
        labelled: Mapping[str, np.ndarray],
    ) -> None:
        self.draw = drawn_by_task(labelled, {task: float(mask.sum()) for task, mask in labelled.items()})

    def __call__(self, seed: int, epoch: int) -> Int[np.ndarray, " n"]:
        """The rows of an epoch, in random order."""
        return self.draw(seed, epoch)
