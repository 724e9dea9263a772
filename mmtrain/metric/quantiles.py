"""Metrics of quantile tasks: answered quantiles (n, Q) in rising order, and targets (n,), in the user's units in."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from mmtrain.metric import numbers
from mmtrain.metric.metric import Metric

Quantiles = Float[np.ndarray, "n Q"]
Numbers = Float[np.ndarray, " n"]


def quantile_metrics(levels: Sequence[float]) -> dict[str, Metric]:
    """The metrics of answers to these quantiles, which rise and have the median among them."""
    median = list(levels).index(0.5)

    def pinball(answer: Quantiles, target: Numbers) -> float:
        """Mean pinball loss over the quantiles, in the target's units."""
        from sklearn import metrics

        return float(np.mean([metrics.mean_pinball_loss(target, answer[:, place], alpha=level) for place, level in enumerate(levels)]))

    def mae(answer: Quantiles, target: Numbers) -> float:
        """Mean absolute error of the median, in the target's units."""
        return numbers.mae(answer[:, median], target)

    def coverage(answer: Quantiles, target: Numbers) -> float:
        """Share of the targets from the lowest quantile to the highest: theirs is the difference of the two, not 1."""
        return float(((answer[:, 0] <= target) & (target <= answer[:, -1])).mean())

    return {"pinball": Metric(pinball, 0.0, "quantiles"), "mae": Metric(mae, 0.0, "median"), "coverage": Metric(coverage, 1.0, "quantiles")}
