"""Rare classes as often as frequent ones."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, Int

from mmtrain.option import Fraction
from mmtrain.sampler.systematic import Systematic

UNLABELLED = -1


class Balanced:
    """Take rows of rare classes several times an epoch and leave rows of frequent ones out, so that classes come equally often.

    `tasks` names the tasks whose classes are balanced; of several, it is each combination of their classes that occurs. `power` lies
    between the natural shares (0) and equal ones (1): a class of n rows gets a share in proportion to n ** (1 - power), so that 0.5
    goes by square roots. Rows without a label of all these tasks keep their natural share. Classes come as often as their shares say,
    give or take one.

    Source: the shares are those of Kang et al. 2020, equation 1, with q = 1 - power; they draw each row on its own, we
    sample systematically, which leaves less to chance.
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
        classes = np.where((chosen == UNLABELLED).any(1), UNLABELLED, classes.reshape(rows))
        self.draw = Systematic(_expected(classes, power), classes)

    def __call__(self, seed: int, epoch: int) -> Int[np.ndarray, " n"]:
        """The rows of an epoch, in random order."""
        return self.draw(seed, epoch)


def _expected(classes: Int[np.ndarray, " n"], power: float) -> Float[np.ndarray, " n"]:
    """How often each row comes in an epoch, on average; 1 for rows without a class."""
    expected = np.ones(len(classes))
    with_class = classes != UNLABELLED
    _, number, counts = np.unique(classes[with_class], return_inverse=True, return_counts=True)
    shares = counts ** (1 - power)
    expected[with_class] = (with_class.sum() * shares / shares.sum() / counts)[number]
    return expected
