"""Metrics of segmentation, from a table (C, C) of pixels: `table[c, d]` are those of class c that were answered d, of all rows together."""

import numpy as np
from jaxtyping import Float, UInt8

from mmtrain.metric.metric import Metric

IGNORED = 255  # the class of a pixel that is not to be scored
NOTHING = 255  # the answer to a pixel that got none
PIXELS = 2**22  # that are counted at a time

Masks = UInt8[np.ndarray, "n H W"]
Table = Float[np.ndarray, "C C"]


def confusion(answer: Masks, target: Masks, classes: int) -> Table:
    """Count the pixels that are not ignored; NaN where a row has no answer."""
    if (answer == NOTHING).any():
        return np.full((classes, classes), np.nan)
    counts = np.zeros(classes * classes, np.int64)
    rows = max(1, PIXELS // max(1, answer[:1].size))
    for start in range(0, len(answer), rows):
        given, true = answer[start : start + rows], target[start : start + rows]
        scored = true != IGNORED
        counts += np.bincount(true[scored].astype(np.int64) * classes + given[scored], minlength=classes * classes)
    return counts.reshape(classes, classes).astype(np.float64)


def constant(table: Table, answered: int) -> Table:
    """The table where every pixel is answered with one class."""
    found = np.zeros_like(table)
    found[:, answered] = table.sum(1)
    return found


def pixel_accuracy(answer: Table, target: np.ndarray) -> float:
    """Share of pixels answered right."""
    return float(answer.diagonal().sum() / answer.sum())


def mean_iou(answer: Table, target: np.ndarray) -> float:
    """Mean intersection over union: a class's pixels answered right, of those that have it or were answered it; the mean over the
    classes that occur in either.

    Source: Everingham et al. 2010 (the VOC challenge), section 4.3; they take all classes.
    """
    right, either = answer.diagonal(), _either(answer)
    return float((right[either > 0] / either[either > 0]).mean())


def dice(answer: Table, target: np.ndarray) -> float:
    """Mean F1 of the pixels, over the classes that occur among targets or answers."""
    right, either = answer.diagonal(), _either(answer)
    return float((2 * right[either > 0] / (either + right)[either > 0]).mean())


def by_mask(answer: Masks, target: Masks, classes: int) -> list[dict[str, float | None]]:
    """Precision, recall, F1 and intersection over union of the pixels of each class, and the rows in which it is to be seen; None where
    these rows do not define it."""
    table = confusion(answer, target, classes)
    given, true, either, right = table.sum(0), table.sum(1), _either(table), table.diagonal()
    shares = {"precision": (right, given), "recall": (right, true), "f1": (2 * right, given + true), "iou": (right, either)}
    return [
        {name: float(part[place] / whole[place]) if whole[place] > 0 else None for name, (part, whole) in shares.items()}
        | {"rows": int((target == place).any((1, 2)).sum())}
        for place in range(classes)
    ]


def _either(table: Table) -> Float[np.ndarray, " C"]:
    return table.sum(0) + table.sum(1) - table.diagonal()


MASK_METRICS = {
    "mean_iou": Metric(mean_iou, 1.0, "frequencies"),
    "dice": Metric(dice, 1.0, "frequencies"),
    "pixel_accuracy": Metric(pixel_accuracy, 1.0, "frequencies"),
}
