"""Metrics of class tasks, by scikit-learn: probabilities (n, C) and classes (n,) in.

The answer is the most probable class. Class -1 is a label that train never saw: wrong whatever is answered, and left out
of what only probabilities decide (`auroc`, `average_precision`, `log_loss`).
"""

import warnings

import numpy as np
from jaxtyping import Float, Int

from mmtrain.metric.calibration import calibration_error
from mmtrain.metric.metric import Metric

Probabilities = Float[np.ndarray, "n C"]
Classes = Int[np.ndarray, " n"]


def accuracy(answer: Probabilities, target: Classes) -> float:
    """Share of rows answered right."""
    from sklearn import metrics

    return metrics.accuracy_score(target, answer.argmax(1))


def balanced_accuracy(answer: Probabilities, target: Classes) -> float:
    """Mean over the occurring classes of the share of their rows answered right."""
    from sklearn import metrics

    return metrics.balanced_accuracy_score(target, answer.argmax(1))


def f1(answer: Probabilities, target: Classes) -> float:
    """F1 of the second class of two."""
    from sklearn import metrics

    return metrics.f1_score(target == 1, answer.argmax(1) == 1, zero_division=0.0)


def f1_macro(answer: Probabilities, target: Classes) -> float:
    """Mean F1 over the classes that occur among targets or answers."""
    from sklearn import metrics

    return metrics.f1_score(target, answer.argmax(1), average="macro")


def f1_weighted(answer: Probabilities, target: Classes) -> float:
    """Mean F1, each class weighing as many rows as it has."""
    from sklearn import metrics

    return metrics.f1_score(target, answer.argmax(1), average="weighted")


def auroc(answer: Probabilities, target: Classes) -> float | None:
    """Mean over the occurring classes of the chance that a row of the class gets a higher probability of it than another row.

    None where fewer than two classes occur. scikit-learn's one-versus-rest macro average has no value where a class
    that train knows does not occur; here that class is left out.
    """
    from sklearn import metrics

    answer, target = _seen(answer, target)
    occurring = np.unique(target)
    if len(occurring) < 2:
        return None
    if answer.shape[1] == 2:
        occurring = occurring[1:]  # the other class has the same area
    return float(np.mean([metrics.roc_auc_score(target == label, answer[:, label]) for label in occurring]))


def average_precision(answer: Probabilities, target: Classes) -> float | None:
    """Precision at each threshold, weighed by the recall gained there, of the second class; None where only one class occurs."""
    from sklearn import metrics

    answer, target = _seen(answer, target)
    return metrics.average_precision_score(target, answer[:, 1]) if len(np.unique(target)) == 2 else None


def log_loss(answer: Probabilities, target: Classes) -> float | None:
    """Mean negative logarithm of the probability of the row's class, in nats; None where train saw no row's label."""
    from sklearn import metrics

    answer, target = _seen(answer, target)
    return metrics.log_loss(target, answer, labels=range(answer.shape[1])) if len(target) else None


def ece(answer: Probabilities, target: Classes) -> float:
    """Expected calibration error of the most probable class."""
    return calibration_error(answer.max(1), answer.argmax(1) == target)


def by_class(answer: Probabilities, target: Classes) -> list[dict[str, float | None]]:
    """Precision, recall, F1 and the number of rows of each class, in the order of the probabilities.

    None where these rows do not define it: precision of a class that is never answered, recall of one that does not occur, F1 of
    one that does neither; and everything where an answer is not finite. An unseen label is a wrong answer to whatever it got.
    """
    from sklearn import metrics

    counts = np.bincount(target[target >= 0], minlength=answer.shape[1]).tolist()
    if len(target) == 0 or not np.isfinite(answer).all():
        return [{"precision": None, "recall": None, "f1": None, "rows": rows} for rows in counts]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of many classes in few rows, which are sound here
        options = {"labels": range(answer.shape[1]), "zero_division": np.nan}
        *columns, _ = metrics.precision_recall_fscore_support(target, answer.argmax(1), **options)
    cells = [[None if np.isnan(cell) else float(cell) for cell in column] for column in columns]
    return [
        {"precision": precision, "recall": recall, "f1": f1, "rows": rows}
        for precision, recall, f1, rows in zip(*cells, counts, strict=True)
    ]


def _seen(answer: Probabilities, target: Classes) -> tuple[np.ndarray, np.ndarray]:
    """The rows whose label train saw."""
    return answer[target >= 0], target[target >= 0]


CLASS_METRICS = {
    "accuracy": Metric(accuracy, 1.0, "frequencies"),
    "balanced_accuracy": Metric(balanced_accuracy, 1.0, "frequencies"),
    "f1_macro": Metric(f1_macro, 1.0, "frequencies"),
    "f1_weighted": Metric(f1_weighted, 1.0, "frequencies"),
    "auroc": Metric(auroc, 1.0, "frequencies"),
    "log_loss": Metric(log_loss, 0.0, "frequencies"),
    "ece": Metric(ece, 0.0, "frequencies"),
}
BINARY_METRICS = CLASS_METRICS | {
    "average_precision": Metric(average_precision, 1.0, "frequencies"),
    "f1": Metric(f1, 1.0, "frequencies"),
}
