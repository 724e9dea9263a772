"""What is made of a series before it is scaled: resampling, each series' own level, changes from step to step."""

from typing import Literal

import numpy as np
from jaxtyping import Float64

Array = np.ndarray


def resampled(values: Float64[Array, "T N"], times: Float64[Array, " T"], count: int) -> Float64[Array, "S N"]:
    """`count` steps, evenly spaced from the first time to the last, each on the straight line between its neighbours.

    `times` rise. A value is NaN where a neighbour that it depends on is.
    """
    wanted = np.linspace(times[0], times[-1], count)
    result = np.full((count, values.shape[1]), np.nan)
    for channel, column in enumerate(values.T):
        known = ~np.isnan(column)
        if known.any():
            # Where an unknown neighbour has a share in a step, the interpolated flags fall below 1.
            supported = np.interp(wanted, times, known) > 1 - 1e-9
            result[supported, channel] = np.interp(wanted[supported], times[known], column[known])
    return result


def levelled(values: Float64[Array, "T N"], per_row: Literal["none", "centre", "standard"]) -> Float64[Array, "T N"]:
    """Each channel less its own mean over the series and, for `standard`, in units of its own deviation; a constant channel is then 0."""
    known = ~np.isnan(values)
    if per_row == "none" or not known.any():
        return values
    counts = known.sum(0).clip(1)
    centred = values - np.where(known, values, 0).sum(0) / counts
    if per_row == "centre":
        return centred
    # Asked of the values: rounding gives a constant channel a deviation, too.
    varies = np.where(known, values, -np.inf).max(0) > np.where(known, values, np.inf).min(0)
    deviation = np.where(varies, np.sqrt(np.square(np.where(known, centred, 0)).sum(0) / counts), np.inf)
    return centred / deviation


def with_differences(values: Float64[Array, "T N"]) -> Float64[Array, "T M"]:
    """Behind each channel's values, its changes from the step before; NaN at the first step, and beside an unknown value."""
    changes = np.diff(values, axis=0, prepend=np.nan)
    return np.concatenate([values, changes], 1)
