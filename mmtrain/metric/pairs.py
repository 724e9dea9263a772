"""Metrics of retrieval: for every row and both directions, where its partner stands among those of all rows.

Places (n, 2, 2) are what is scored: `[:, 0]` looks for the second vector by the first, `[:, 1]` the other way round; of each, how many
partners of other rows are more alike, and how many are as much alike, the row's own counted. Among equals the place is drawn by lot,
and scored is what is expected of it: so vectors that are all alike, or not there at all, score what chance does.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from mmtrain.metric.metric import Metric

Vectors = Float[np.ndarray, "n 2 D"]
Places = Float[np.ndarray, "n 2 2"]

TIE = 1e-6  # cosines that are no further apart are equal: the rest is rounding
HELD = 2**22  # similarities in memory at a time
BEST = (1, 5, 10)  # places that count as found


def places(vectors: Vectors) -> Places:
    """Places of the partners by cosine; vectors have length 1, or are 0 where a row has none: those are unlike all others. NaN where
    a vector is not finite."""
    if not np.isfinite(vectors).all():
        return np.full((len(vectors), 2, 2), np.nan)
    first, second = vectors.transpose(1, 0, 2).astype(np.float32)
    return np.stack([_places(first, second), _places(second, first)], 1)


def nearest(vectors: Vectors) -> tuple[np.ndarray, np.ndarray]:
    """For each row the row whose second vector is most like its first, (n,) int, and whether there is any, (n,) bool."""
    first, second = vectors.transpose(1, 0, 2).astype(np.float32)
    found = np.zeros(len(first), np.int64)
    for rows in _parts(len(first)):
        found[rows] = _similar(first[rows], second).argmax(1)
    return found, first.any(1) & second.any()


def chance(rows: int) -> Float[np.ndarray, "2"]:
    """The place of every partner for one who knows nothing: any, each as likely."""
    return np.array([0.0, rows])


def _places(asking: Float[np.ndarray, "n D"], asked: Float[np.ndarray, "n D"]) -> Float[np.ndarray, "n 2"]:
    found = np.zeros((len(asking), 2))
    for rows in _parts(len(asking)):
        similar = _similar(asking[rows], asked)
        own = similar[np.arange(len(similar)), np.arange(len(asking))[rows]][:, None]
        better = np.count_nonzero(similar > own + TIE, axis=1)
        found[rows, 0], found[rows, 1] = better, np.count_nonzero(similar >= own - TIE, axis=1) - better
    return found


def _similar(asking: Float[np.ndarray, "k D"], asked: Float[np.ndarray, "n D"]) -> Float[np.ndarray, "k n"]:
    known = (asking != 0).any(1)[:, None] & (asked != 0).any(1)
    similar = asking @ asked.T
    return similar if known.all() else np.where(known, similar, np.finfo(np.float32).min)


def _parts(rows: int) -> list[slice]:
    size = max(1, HELD // max(rows, 1))
    return [slice(start, start + size) for start in range(0, rows, size)]


def recall(best: int) -> Callable[[Places, np.ndarray], float]:
    """Share of rows whose partner is among the `best` most alike."""

    def score(answer: Float[np.ndarray, "n _ 2"], target: np.ndarray) -> float:
        better, equal = answer[..., 0], answer[..., 1]
        return float(((best - better) / equal).clip(0, 1).mean())

    return score


def mrr(answer: Float[np.ndarray, "n _ 2"], target: np.ndarray) -> float:
    """Mean reciprocal rank: the mean of 1 / place of the partner, counted from 1."""
    sums = np.concatenate([np.zeros(1), (1 / np.arange(1, len(answer) + 1)).cumsum()])
    better, equal = answer.astype(np.int64)[..., 0], answer[..., 1]
    return float(((sums[better + equal.astype(np.int64)] - sums[better]) / equal).mean())


PAIR_METRICS = {f"recall_{best}": Metric(recall(best), 1.0, "chance") for best in BEST} | {"mrr": Metric(mrr, 1.0, "chance")}
