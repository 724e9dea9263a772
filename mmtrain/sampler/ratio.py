"""Tasks as often as the user says."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Int

from mmtrain.option import Positive
from mmtrain.sampler.systematic import drawn_by_task


class Ratio:
    """Draw every task in proportion to its number in `ratio`, which names them all, and each time any of the rows with its label.

    Source: "fixed" sampling ratios of mmf (Singh et al. 2020); we sample systematically, and a row may have labels of several tasks.
    """

    def __init__(
        self,
        rows: int,
        targets: Mapping[str, np.ndarray],
        labelled: Mapping[str, np.ndarray],
        *,
        ratio: dict[str, Positive],
    ) -> None:
        self.draw = drawn_by_task(labelled, ratio)

    def __call__(self, seed: int, epoch: int) -> Int[np.ndarray, " n"]:
        """The rows of an epoch, in random order."""
        return self.draw(seed, epoch)
