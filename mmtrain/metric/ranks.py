"""Metrics of ordinal tasks, by scikit-learn and scipy: answered ranks (n,) and true ranks (n,) in, both 0 for the lowest label.

Those of the table take answers (n, 2): the rank and, for `ece`, its probability.

Rank -1 is a label that train never saw: wrong whatever is answered, and left out of what only ranks decide (all but accuracy).
"""

from collections.abc import Callable
from functools import wraps

import numpy as np
from jaxtyping import Float, Int

from mmtrain.metric import numbers
from mmtrain.metric.calibration import calibration_error
from mmtrain.metric.metric import Metric

Answers = Float[np.ndarray, " n"]
Chosen = Float[np.ndarray, "n 2"]
Ranks = Int[np.ndarray, " n"]


def mae(answer: Answers, target: Ranks) -> float | None:
    """Mean distance of the ranks: 1 is the neighbouring label."""
    known = target >= 0
    return numbers.mae(answer[known], target[known].astype(np.float64)) if known.any() else None


def accuracy(answer: Answers, target: Ranks) -> float:
    """Share of rows answered right."""
    return float((answer == target).mean())


def kappa(answer: Answers, target: Ranks) -> float | None:
    """Agreement beyond chance with weights that are quadratic in the distance of the ranks (Cohen 1968): 0 is chance, 1 perfection.

    None where all targets and answers are one and the same.
    """
    from sklearn import metrics

    known = target >= 0
    answered, true = answer[known].astype(np.int64), target[known]
    if len(np.unique([answered, true])) < 2:
        return None
    return metrics.cohen_kappa_score(true, answered, labels=range(int(max(answered.max(), true.max())) + 1), weights="quadratic")


def spearman(answer: Answers, target: Ranks) -> float | None:
    """Correlation of the ranks, from -1 to 1; see `numbers.spearman`."""
    known = target >= 0
    return numbers.spearman(answer[known], target[known].astype(np.float64)) if known.any() else None


def ece(answer: Chosen, target: Ranks) -> float:
    """Expected calibration error of the answered label, be it the median or the most probable one."""
    return calibration_error(answer[:, 1], answer[:, 0] == target)


def _of_rank(score: Callable[[Answers, Ranks], float | None]) -> Callable[[Chosen, Ranks], float | None]:
    """The metric of answers with a probability beside them."""

    @wraps(score)
    def of_rank(answer: Chosen, target: Ranks) -> float | None:
        return score(answer[:, 0], target)

    return of_rank


RANK_METRICS = {
    "mae": Metric(_of_rank(mae), 0.0, "median"),
    "accuracy": Metric(_of_rank(accuracy), 1.0, "frequencies"),
    "kappa": Metric(_of_rank(kappa), 1.0, "median"),
    "spearman": Metric(_of_rank(spearman), 1.0, "median"),
    "ece": Metric(ece, 0.0, "frequencies"),
}
