"""Rare classes as often as frequent ones."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, Int

from mmtrain.option import Fraction

UNLABELLED = -1


class Balanced:
    """Take rows of rare classes several times an epoch and leave rows of frequent ones out, so that classes come equally often.

    `tasks` names the tasks whose classes are balanced; of several, it is each combination of their classes that occurs. `power` lies
    between the natural shares (0) and equal ones (1): a class of n rows gets a share in proportion to n ** (1 - power), so that 0.5
    goes by square roots. Rows without a label of all these tasks keep their natural share. An epoch has as many rows as train, of
    which each row takes its expected number of places, rounded up or down by chance; classes come as often as their shares say,
    give or take one.

    Source: the shares are those of Kang et al. 2020, equation 1, with q = 1 - power; they draw each row on its own, we take
    evenly spaced places of the rows' summed expectations (systematic sampling), which leaves less to chance.
    """

    def __init__(
        self,
        rows: int,
        targets: Mapping[str, np.ndarray],
        labelled: Mapping[str, np.ndarray],
        *,
        tasks: list[str],
        power: Fraction = 1.0,
    ) -> None:
        chosen = np.stack([np.where(labelled[task], targets[task], UNLABELLED) for task in tasks], 1)
        _, classes = np.unique(chosen, axis=0, return_inverse=True)
        self.classes = np.where((chosen == UNLABELLED).any(1), UNLABELLED, classes.reshape(rows))
        self.expected = _expected(self.classes, power)

    def __call__(self, seed: int, epoch: int) -> Int[np.ndarray, " n"]:
        """The rows of an epoch, in random order."""
        random = np.random.default_rng([seed, epoch])
        rows = random.permutation(len(self.classes))
        rows = rows[np.argsort(self.classes[rows], kind="stable")]  # a class lies together: its number of places is not left to chance
        ends = np.cumsum(self.expected[rows])
        places = np.searchsorted(ends, random.random() + np.arange(len(rows)), side="right")
        return random.permutation(rows[places.clip(max=len(rows) - 1)])


def _expected(classes: Int[np.ndarray, " n"], power: float) -> Float[np.ndarray, " n"]:
    """How often each row comes in an epoch, on average; 1 for rows without a class."""
    expected = np.ones(len(classes))
    with_class = classes != UNLABELLED
    _, number, counts = np.unique(classes[with_class], return_inverse=True, return_counts=True)
    shares = counts ** (1 - power)
    expected[with_class] = (with_class.sum() * shares / shares.sum() / counts)[number]
    return expected
