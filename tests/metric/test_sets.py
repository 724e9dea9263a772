"""Against scikit-learn, and literals where a label is one that train never saw."""

import numpy as np
import pytest
from sklearn import metrics

from mmtrain.metric.sets import SET_METRICS, accuracy, average_precision, by_label, f1_macro, f1_micro, hamming


def drawn(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.random((40, 3)).round(2), np.pad(rng.integers(0, 2, (40, 3)), ((0, 0), (0, 1)))


@pytest.mark.parametrize("seed", range(3))
def test_as_scikit_learn_says(seed: int) -> None:
    answer, target = drawn(seed)
    true, chosen = target[:, :3], (answer > 0.5).astype(int)
    assert f1_micro(answer, target) == pytest.approx(metrics.f1_score(true, chosen, average="micro"))
    assert f1_macro(answer, target) == pytest.approx(metrics.f1_score(true, chosen, average="macro"))
    assert average_precision(answer, target) == pytest.approx(metrics.average_precision_score(true, answer, average="macro"))
    assert accuracy(answer, target) == pytest.approx(metrics.accuracy_score(true, chosen))
    assert hamming(answer, target) == pytest.approx(metrics.hamming_loss(true, chosen))
    precision, recall, f1, rows = metrics.precision_recall_fscore_support(true, chosen)
    for place, found in enumerate(by_label(answer, target)):
        assert found == pytest.approx({"precision": precision[place], "recall": recall[place], "f1": f1[place], "rows": rows[place]})


def test_a_label_that_train_never_saw() -> None:
    """Two rows answered right, of which the second has another label besides: one true pair in three is missed."""
    answer, target = np.array([[0.9, 0.1], [0.9, 0.8]]), np.array([[1, 0, 0], [1, 1, -1]])
    assert accuracy(answer, target) == 0.5
    assert f1_micro(answer, target) == pytest.approx(2 * 3 / (3 + 4))
    assert (f1_macro(answer, target), hamming(answer, target), average_precision(answer, target)) == (1, 0, 1)


def test_labels_that_do_not_occur() -> None:
    answer, target = np.array([[0.9, 0.1], [0.2, 0.1]]), np.array([[1, 0, 0], [0, 0, 0]])
    assert f1_macro(answer, target) == average_precision(answer, target) == 1
    assert by_label(answer, target)[1] == {"precision": None, "recall": None, "f1": None, "rows": 0}
    nothing = np.zeros((2, 3), np.int64)
    assert f1_micro(answer * 0, nothing) is f1_macro(answer * 0, nothing) is average_precision(answer, nothing) is None
    assert accuracy(answer * 0, nothing) == 1


def test_the_table_names_its_metrics() -> None:
    assert all(metric.score.__name__ == name for name, metric in SET_METRICS.items())
