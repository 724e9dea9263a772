"""Metrics of class tasks: probabilities (n, C) and classes (n,) in, as scikit-learn computes them from the rows' labels.

The answer is the most probable class. Class -1 is a label that train never saw: wrong whatever is answered, and left out
of what only probabilities decide (`auroc`, `average_precision`, `log_loss`).
"""

import numpy as np
from jaxtyping import Bool, Float, Int

from mmtrain.metric.metric import Metric
from mmtrain.metric.ranks import ranks

Probabilities = Float[np.ndarray, "n C"]
Classes = Int[np.ndarray, " n"]

ECE_BINS = 15  # as in Guo et al. 2017


def accuracy(answer: Probabilities, target: Classes) -> float:
    """Share of rows answered right."""
    return float((answer.argmax(1) == target).mean())


def balanced_accuracy(answer: Probabilities, target: Classes) -> float:
    """Mean over the occurring classes of the share of their rows answered right."""
    right, support, _ = _counts(answer, target)
    occurring = support > 0
    return float((right[occurring] / support[occurring]).mean())


def f1_macro(answer: Probabilities, target: Classes) -> float:
    """Mean F1 over the classes that occur among targets or answers."""
    f1, _ = _f1(answer, target)
    return float(f1.mean())


def f1_weighted(answer: Probabilities, target: Classes) -> float:
    """Mean F1, each class weighing as many rows as it has."""
    f1, support = _f1(answer, target)
    return float(np.average(f1, weights=support))


def auroc(answer: Probabilities, target: Classes) -> float | None:
    """Mean over the occurring classes of the chance that a row of the class gets a higher probability of it than another row.

    None where fewer than two classes occur. scikit-learn's one-versus-rest macro average has no value where a class
    that train knows does not occur; here that class is left out.
    """
    answer, target = _seen(answer, target)
    occurring = np.unique(target)
    if len(occurring) < 2:
        return None
    if answer.shape[1] == 2:
        occurring = occurring[1:]  # the other class has the same area
    return float(np.mean([_area(answer[:, label], target == label) for label in occurring]))


def average_precision(answer: Probabilities, target: Classes) -> float | None:
    """Precision at each threshold, weighed by the recall gained there, of the second class; None where only one class occurs."""
    answer, target = _seen(answer, target)
    positive = target == 1
    if len(positive) == 0 or positive.all() or not positive.any():
        return None
    _, place, rows = np.unique(-answer[:, 1], return_inverse=True, return_counts=True)
    found = np.bincount(place, weights=positive)
    precision = np.cumsum(found) / np.cumsum(rows)
    return float((precision * found).sum() / found.sum())


def log_loss(answer: Probabilities, target: Classes) -> float | None:
    """Mean negative logarithm of the probability of the row's class, in nats."""
    answer, target = _seen(answer, target)
    if len(target) == 0:
        return None
    probability = answer[np.arange(len(target)), target].astype(np.float64)
    return float(-np.log(probability.clip(np.finfo(np.float64).eps)).mean())


def ece(answer: Probabilities, target: Classes) -> float:
    """Expected calibration error: mean gap between the answer's probability and its accuracy, over 15 equal bins of probability.

    Source: Guo et al. 2017, equation 3.
    """
    confidence = answer.max(1)
    gap = confidence - (answer.argmax(1) == target)
    places = (np.ceil(confidence * ECE_BINS).astype(int) - 1).clip(0, ECE_BINS - 1)
    return float(np.abs(np.bincount(places, weights=gap)).sum() / len(target))


def _seen(answer: Probabilities, target: Classes) -> tuple[np.ndarray, np.ndarray]:
    seen = target >= 0
    return (answer, target) if seen.all() else (answer[seen], target[seen])


def _counts(answer: Probabilities, target: Classes) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Per class the rows answered right, the rows it has and the rows that are answered so; a class more for unseen labels."""
    classes = answer.shape[1]
    given, target = answer.argmax(1), np.where(target < 0, classes, target)
    right, support, answered = (np.bincount(rows, minlength=classes + 1) for rows in (target[given == target], target, given))
    return right, support, answered


def _f1(answer: Probabilities, target: Classes) -> tuple[np.ndarray, np.ndarray]:
    """F1 and rows of each class that occurs among targets or answers."""
    right, support, answered = _counts(answer, target)
    occurring = support + answered > 0
    return 2 * right[occurring] / (support + answered)[occurring], support[occurring]


def _area(score: Float[np.ndarray, " n"], positive: Bool[np.ndarray, " n"]) -> float:
    """Area under the receiver operating characteristic, from the ranks of the positive rows (Mann-Whitney U)."""
    positives = int(positive.sum())
    negatives = len(positive) - positives
    return float((ranks(score)[positive].sum() - positives * (positives + 1) / 2) / (positives * negatives))


CLASS_METRICS = {
    "accuracy": Metric(accuracy, 1.0, "frequencies"),
    "balanced_accuracy": Metric(balanced_accuracy, 1.0, "frequencies"),
    "f1_macro": Metric(f1_macro, 1.0, "frequencies"),
    "f1_weighted": Metric(f1_weighted, 1.0, "frequencies"),
    "auroc": Metric(auroc, 1.0, "frequencies"),
    "log_loss": Metric(log_loss, 0.0, "frequencies"),
    "ece": Metric(ece, 0.0, "frequencies"),
}
BINARY_METRICS = CLASS_METRICS | {"average_precision": Metric(average_precision, 1.0, "frequencies")}
