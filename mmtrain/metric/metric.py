"""What a metric is, and how all metrics of a task are taken at once."""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

Evaluation = dict[str, float | None]


@dataclass(frozen=True)
class Metric:
    """A number that tells how good answers are.

    `score(answer, target)` takes the answers and the targets of the labelled rows, both leading with n >= 1, and gives None where
    these rows do not define it. `perfect` is its value for perfect answers. `constant` names the train statistic that, answered for
    every row, scores best: class frequencies, mean, median, quantiles, a set of labels, or `chance` where
    there is nothing to learn.
    """

    score: Callable[[np.ndarray, np.ndarray], float | None]
    perfect: float
    constant: Literal["frequencies", "mean", "median", "quantiles", "set", "chance"]


def evaluate(metrics: Mapping[str, Metric], primary: str, answer: np.ndarray, target: np.ndarray, constant: np.ndarray) -> Evaluation:
    """Score the answers (n, ...) of n labelled rows; `constant` (...) is the answer to which skill compares them.

    Gives `rows`, every metric by its name, `constant` (what the constant answer scores in the primary metric) and `skill`, which is 0
    for the constant answer and 1 for a perfect one. What is undefined is None, and so is every metric of answers that are not finite.
    """
    found: Evaluation = {name: _score(metric, answer, target) for name, metric in metrics.items()}
    of_constant = _score(metrics[primary], np.broadcast_to(constant, answer.shape), target)
    return {"rows": len(target), **found, "constant": of_constant, "skill": _skill(found[primary], of_constant, metrics[primary].perfect)}


def skill(metric: Metric, answer: np.ndarray, target: np.ndarray, constant: np.ndarray) -> float | None:
    """The skill that `evaluate` gives, at the cost of this metric alone."""
    score, of_constant = (_score(metric, answers, target) for answers in (answer, np.broadcast_to(constant, answer.shape)))
    return _skill(score, of_constant, metric.perfect)


def _score(metric: Metric, answer: np.ndarray, target: np.ndarray) -> float | None:
    if len(target) == 0 or not np.isfinite(answer).all():
        return None
    with warnings.catch_warnings(), np.errstate(over="ignore", invalid="ignore"):  # squares of very large answers are infinite
        # scikit-learn warns of classes that are answered but do not occur, and of many classes in few rows: both are sound here.
        warnings.simplefilter("ignore", UserWarning)
        score = metric.score(answer, target)
    return None if score is None or not np.isfinite(score) else float(score)


def _skill(score: float | None, constant: float | None, perfect: float) -> float | None:
    """How far the score is on the way from the constant answer's to the perfect one; None where that way has no length."""
    if score is None or constant is None or constant == perfect:
        return None
    return (score - constant) / (perfect - constant)
