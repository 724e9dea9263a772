"""Against scikit-learn, scipy and the formula of the weighted kappa."""

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

from mmtrain.metric.ranks import RANK_METRICS, accuracy, kappa, mae, spearman


@pytest.mark.parametrize("seed", range(3))
def test_as_others_say(seed: int) -> None:
    rng = np.random.default_rng(seed)
    target = rng.integers(0, 5, 60)
    answer = (target + rng.integers(-1, 2, 60)).clip(0, 4).astype(np.float64)
    assert mae(answer, target) == pytest.approx(np.abs(answer - target).mean())
    assert accuracy(answer, target) == pytest.approx(metrics.accuracy_score(target, answer.astype(int)))
    assert kappa(answer, target) == pytest.approx(metrics.cohen_kappa_score(target, answer.astype(int), weights="quadratic"))
    assert kappa(answer, target) == pytest.approx(by_formula(answer, target))
    assert spearman(answer, target) == pytest.approx(stats.spearmanr(answer, target).statistic)


def by_formula(answer: np.ndarray, target: np.ndarray) -> float:
    """1 less squared distance of pairs, over that of all combinations."""
    return float(1 - np.square(answer - target).mean() / np.square(answer[:, None] - target).mean())


def test_ranks_that_do_not_occur_count_all_the_same() -> None:
    """From 0 to 3 is nine times as far as from 0 to 1, whether or not there is a 1 or 2."""
    answer, target = np.array([0.0, 3.0, 4.0, 0.0]), np.array([0, 3, 3, 4])
    assert kappa(answer, target) == pytest.approx(by_formula(answer, target))


def test_a_label_that_train_never_saw() -> None:
    answer, target = np.array([0.0, 1.0, 2.0]), np.array([0, 2, -1])
    assert accuracy(answer, target) == pytest.approx(1 / 3)
    assert mae(answer, target) == pytest.approx(0.5)
    assert kappa(answer, target) == kappa(answer[:2], target[:2])
    assert [score(answer[2:], target[2:]) for score in (mae, kappa, spearman)] == [None] * 3


def test_what_is_not_defined() -> None:
    assert kappa(np.ones(3), np.ones(3, np.int64)) is None
    assert spearman(np.arange(3.0), np.ones(3, np.int64)) is None
    assert kappa(np.ones(2), np.array([0, 1])) == pytest.approx(0)


def test_the_table_names_its_metrics() -> None:
    assert all(metric.score.__name__ == name for name, metric in RANK_METRICS.items())
