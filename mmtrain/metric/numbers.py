"""Metrics of number tasks: answers (n,) and targets (n,) in the user's units in."""

import numpy as np
from jaxtyping import Float

from mmtrain.metric.metric import Metric
from mmtrain.metric.ranks import ranks

Numbers = Float[np.ndarray, " n"]


def mae(answer: Numbers, target: Numbers) -> float:
    """Mean absolute error, in the target's units."""
    return float(np.abs(answer - target).mean())


def rmse(answer: Numbers, target: Numbers) -> float:
    """Root of the mean squared error, in the target's units."""
    return float(np.sqrt(((answer - target) ** 2).mean()))


def r2(answer: Numbers, target: Numbers) -> float | None:
    """Share of the targets' variance that the answers explain; below 0 where their mean explains more.

    None where all targets are equal (scikit-learn gives 0 or 1 there).
    """
    if np.ptp(target) == 0:
        return None
    return float(1 - ((answer - target) ** 2).sum() / ((target - target.mean()) ** 2).sum())


def spearman(answer: Numbers, target: Numbers) -> float | None:
    """Correlation of the ranks, from -1 to 1, as scipy's `spearmanr`.

    Equal answers for all rows rank nothing, which is 0 (scipy gives NaN). None where all targets are equal.
    """
    if np.ptp(target) == 0:
        return None
    if np.ptp(answer) == 0:
        return 0.0
    return float(np.corrcoef(ranks(answer), ranks(target))[0, 1])


NUMBER_METRICS = {
    "mae": Metric(mae, 0.0, "median"),
    "rmse": Metric(rmse, 0.0, "mean"),
    "r2": Metric(r2, 1.0, "mean"),
    "spearman": Metric(spearman, 1.0, "median"),
}
