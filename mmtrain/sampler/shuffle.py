"""Every row once."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Int


class Shuffle:
    """Take every row once, in random order."""

    def __init__(self, rows: int, targets: Mapping[str, np.ndarray], labelled: Mapping[str, np.ndarray]) -> None:
        self.rows = rows

    def __call__(self, seed: int, epoch: int) -> Int[np.ndarray, " n"]:
        """The order of an epoch."""
        return np.random.default_rng([seed, epoch]).permutation(self.rows)
