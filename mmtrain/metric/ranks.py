"""Ranks, which the metrics of order are made of."""

import numpy as np
from jaxtyping import Float, Shaped


def ranks(values: Shaped[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Places in ascending order, from 1; equal values share the mean of their places."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    middle: np.ndarray = np.cumsum(counts) - (counts - 1) / 2
    return middle[place]
