"""Metrics of sets of labels, by scikit-learn: probabilities (n, C) in, and (n, C + 1) of which the first C columns are 1 where the row
has the label and the last is -1 where it has one that train never saw.

Answered are the labels with a probability above a half. A label that train never saw is one that the answer lacks: the set is wrong,
and `f1_micro` counts a miss (one a row); the other metrics are those of the labels that train knows.
"""

import numpy as np
from jaxtyping import Float, Int

from mmtrain.metric.calibration import calibration_error
from mmtrain.metric.metric import Evaluation, Metric

Probabilities = Float[np.ndarray, "n C"]
Sets = Int[np.ndarray, "n _"]


def average_precision(answer: Probabilities, target: Sets) -> float | None:
    """Mean over the occurring labels of their average precision; None where none occurs."""
    from sklearn import metrics

    occurring = np.flatnonzero(target[:, :-1].any(0))
    if len(occurring) == 0:
        return None
    return float(np.mean([metrics.average_precision_score(target[:, label], answer[:, label]) for label in occurring]))


def f1_micro(answer: Probabilities, target: Sets) -> float | None:
    """F1 of all pairs of a row and a label together; None where there is no label, neither true nor answered."""
    from sklearn import metrics

    true, answered = np.abs(target), np.pad(answer > 0.5, ((0, 0), (0, 1))).astype(np.int64)
    return metrics.f1_score(true, answered, average="micro") if true.any() or answered.any() else None


def f1_macro(answer: Probabilities, target: Sets) -> float | None:
    """Mean F1 over the labels that occur among targets or answers; None where there are none."""
    from sklearn import metrics

    true, answered = target[:, :-1], answer > 0.5
    there = np.flatnonzero(true.any(0) | answered.any(0))
    return float(np.mean([metrics.f1_score(true[:, label], answered[:, label]) for label in there])) if len(there) else None


def accuracy(answer: Probabilities, target: Sets) -> float:
    """Share of rows whose whole set is right."""
    return float((((answer > 0.5) == target[:, :-1]).all(1) & (target[:, -1] == 0)).mean())


def hamming(answer: Probabilities, target: Sets) -> float:
    """Share of the pairs of a row and a label that are wrong."""
    from sklearn import metrics

    return metrics.hamming_loss(target[:, :-1].ravel(), (answer > 0.5).astype(np.int64).ravel())


def ece(answer: Probabilities, target: Sets) -> float:
    """Expected calibration error of all pairs of a row and a label, each answered with yes or no."""
    probability = answer.ravel()
    answered = probability > 0.5
    return calibration_error(np.where(answered, probability, 1 - probability), answered == target[:, :-1].ravel())


def by_label(answer: Probabilities, target: Sets) -> list[Evaluation]:
    """Precision, recall, F1 and the number of rows of each label; None where these rows do not define it, or an answer is not finite."""
    true, answered = target[:, :-1] == 1, answer > 0.5
    found = zip(true.sum(0).tolist(), answered.sum(0).tolist(), (true & answered).sum(0).tolist(), strict=True)
    finite = bool(np.isfinite(answer).all())
    return [
        {
            "precision": _share(hits, chosen, finite),
            "recall": _share(hits, rows, finite),
            "f1": _share(2 * hits, rows + chosen, finite),
            "rows": rows,
        }
        for rows, chosen, hits in found
    ]


def _share(some: int, of: int, finite: bool) -> float | None:
    return some / of if of and finite else None


SET_METRICS = {
    "average_precision": Metric(average_precision, 1.0, "frequencies"),
    "f1_micro": Metric(f1_micro, 1.0, "set"),
    "f1_macro": Metric(f1_macro, 1.0, "set"),
    "accuracy": Metric(accuracy, 1.0, "set"),
    "hamming": Metric(hamming, 0.0, "set"),
    "ece": Metric(ece, 0.0, "frequencies"),
}
