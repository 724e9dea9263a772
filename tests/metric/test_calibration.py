"""Against a histogram of bins made by hand, whichever task's answers they are."""

import numpy as np
import pytest

from mmtrain.metric.calibration import calibration_error
from mmtrain.metric.ranks import RANK_METRICS
from mmtrain.metric.sets import SET_METRICS


def by_histogram(confidence: np.ndarray, right: np.ndarray) -> float:
    """Guo et al. 2017, equation 3, from three histograms; NumPy's bins hold their lower edge, and drawn numbers stand on none."""
    rows, sums, hits = (np.histogram(confidence, bins=15, range=(0, 1), weights=weights)[0] for weights in (None, confidence, 1.0 * right))
    return float(sum(n / len(right) * abs(hit / n - total / n) for n, total, hit in zip(rows, sums, hits, strict=True) if n))


def test_of_drawn_numbers() -> None:
    rng = np.random.default_rng(0)
    confidence = rng.random(500)
    right = rng.random(500) < confidence**2
    found = calibration_error(confidence, right)
    assert found == pytest.approx(by_histogram(confidence, right))
    assert found == pytest.approx(1 / 2 - 1 / 3, abs=0.05)  # the mean of c - c * c


def test_of_the_answered_rank() -> None:
    answer, target = np.array([[0.0, 0.9], [2.0, 0.5], [1.0, 0.5]]), np.array([0, 2, 2])
    assert RANK_METRICS["ece"].score(answer, target) == pytest.approx((0.1 + 2 * 0.0) / 3)


def test_of_all_pairs_of_a_row_and_a_label() -> None:
    rng = np.random.default_rng(0)
    answer, target = rng.random((60, 3)), np.pad(rng.integers(0, 2, (60, 3)), ((0, 0), (0, 1)))
    chosen = (answer > 0.5).astype(int)
    confidence = np.where(chosen == 1, answer, 1 - answer)
    assert SET_METRICS["ece"].score(answer, target) == pytest.approx(by_histogram(confidence.ravel(), (chosen == target[:, :3]).ravel()))
