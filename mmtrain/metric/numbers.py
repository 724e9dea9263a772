"""Metrics of number and count tasks, by scikit-learn and scipy: answers (n,) and targets (n,) in the user's units in."""

import numpy as np
from jaxtyping import Float

from mmtrain.metric.metric import Metric

Numbers = Float[np.ndarray, " n"]


def mae(answer: Numbers, target: Numbers) -> float:
    """Mean absolute error, in the target's units."""
    from sklearn import metrics

    return metrics.mean_absolute_error(target, answer)


def rmse(answer: Numbers, target: Numbers) -> float:
    """Root of the mean squared error, in the target's units."""
    from sklearn import metrics

    return metrics.root_mean_squared_error(target, answer)


def r2(answer: Numbers, target: Numbers) -> float | None:
    """Share of the targets' variance that the answers explain; below 0 where their mean explains more.

    None where all targets are equal (scikit-learn gives 0 or 1 there).
    """
    from sklearn import metrics

    return metrics.r2_score(target, answer) if np.ptp(target) else None


def spearman(answer: Numbers, target: Numbers) -> float | None:
    """Correlation of the ranks, from -1 to 1.

    Equal answers for all rows rank nothing, which is 0 (scipy gives NaN). None where all targets are equal.
    """
    from scipy import stats

    if np.ptp(target) == 0:
        return None
    return stats.spearmanr(answer, target).statistic if np.ptp(answer) else 0.0


def poisson_deviance(answer: Numbers, target: Numbers) -> float:
    """Mean Poisson deviance, of rates and counts: twice what the rate costs in log likelihood beside the count itself."""
    from sklearn import metrics

    return metrics.mean_poisson_deviance(target, answer.clip(min=np.finfo(np.float64).tiny))  # which allows no rate 0


NUMBER_METRICS = {
    "mae": Metric(mae, 0.0, "median"),
    "rmse": Metric(rmse, 0.0, "mean"),
    "r2": Metric(r2, 1.0, "mean"),
    "spearman": Metric(spearman, 1.0, "median"),
}
COUNT_METRICS = {"poisson_deviance": Metric(poisson_deviance, 0.0, "mean"), **NUMBER_METRICS}
