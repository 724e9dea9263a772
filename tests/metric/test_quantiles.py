import numpy as np
import pytest
from sklearn import metrics

from mmtrain.metric import quantile_metrics

LEVELS = [0.1, 0.5, 0.8]
METRICS = quantile_metrics(LEVELS)


def test_by_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    answer, target = np.sort(rng.normal(size=(50, 3)), axis=1), rng.normal(size=50)
    expected = [metrics.mean_pinball_loss(target, answer[:, place], alpha=level) for place, level in enumerate(LEVELS)]
    assert METRICS["pinball"].score(answer, target) == pytest.approx(np.mean(expected))
    assert METRICS["mae"].score(answer, target) == pytest.approx(2 * expected[1])


def test_coverage_counts_both_ends() -> None:
    answer = np.tile([1.0, 2.0, 3.0], (5, 1))
    assert METRICS["coverage"].score(answer, np.array([0.9, 1.0, 2.5, 3.0, 3.1])) == pytest.approx(3 / 5)


def test_the_table_names_its_metrics() -> None:
    assert all(metric.score.__name__ == name for name, metric in METRICS.items())
