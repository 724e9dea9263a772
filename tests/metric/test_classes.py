"""Against literals worked by hand and against scikit-learn, on probabilities with many ties."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from sklearn import metrics as sklearn

from mmtrain.metric.classes import (
    BINARY_METRICS,
    CLASS_METRICS,
    accuracy,
    auroc,
    average_precision,
    balanced_accuracy,
    ece,
    f1_macro,
    f1_weighted,
    log_loss,
)

# Four rows of three classes; the answers are 0, 1, 1, 0.
ANSWER = np.array([[0.6, 0.3, 0.1], [0.2, 0.7, 0.1], [0.1, 0.5, 0.4], [0.5, 0.25, 0.25]])
TARGET = np.array([0, 1, 2, 0])


def drawn(classes: int, rows: int = 200, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities in steps of a sixth and targets that they say something about."""
    rng = np.random.default_rng(seed)
    target = rng.integers(0, classes, rows)
    chances = (np.ones((classes, classes)) + np.eye(classes)) / (classes + 1)
    return np.stack([rng.multinomial(6, chances[label]) for label in target]) / 6, target


def test_by_hand() -> None:
    assert accuracy(ANSWER, TARGET) == 3 / 4
    assert balanced_accuracy(ANSWER, TARGET) == pytest.approx((1 + 1 + 0) / 3)
    assert f1_macro(ANSWER, TARGET) == pytest.approx((1 + 2 / 3 + 0) / 3)
    assert f1_weighted(ANSWER, TARGET) == pytest.approx((2 * 1 + 1 * 2 / 3 + 1 * 0) / 4)
    assert log_loss(ANSWER, TARGET) == pytest.approx(-(math.log(0.6) + math.log(0.7) + math.log(0.4) + math.log(0.5)) / 4)
    assert auroc(ANSWER, TARGET) == 1.0  # every row has the highest probability of its class in its column


def test_auroc_counts_pairs_and_halves_ties() -> None:
    positive = np.array([0.9, 0.4, 0.4, 0.1])
    answer = np.stack([1 - positive, positive], 1)
    assert auroc(answer, np.array([1, 1, 0, 0])) == pytest.approx((1 + 1 + 0.5 + 1) / 4)


def test_average_precision_by_hand() -> None:
    positive = np.array([0.9, 0.8, 0.7, 0.6])
    answer = np.stack([1 - positive, positive], 1)
    assert average_precision(answer, np.array([1, 0, 1, 0])) == pytest.approx((1 / 1 + 2 / 3) / 2)


def test_ece_by_hand() -> None:
    """Confidences 0.62, 0.65 share the bin from 9/15 to 10/15: mean 0.635, half right; 0.95 is alone and right."""
    answer = np.array([[0.62, 0.38], [0.65, 0.35], [0.05, 0.95]])
    assert ece(answer, np.array([0, 1, 1])) == pytest.approx((2 * (0.635 - 0.5) + 1 * 0.05) / 3)


def test_an_edge_belongs_to_the_bin_below_as_in_its_paper() -> None:
    """0.6 is the upper edge of the ninth of 15 bins; 0.61 stands in the tenth, so that over- and underconfidence do not cancel."""
    answer = np.array([[0.6, 0.4], [0.61, 0.39]])
    assert ece(answer, np.array([0, 1])) == pytest.approx((0.4 + 0.61) / 2)


def test_certainty_has_a_bin_and_a_finite_loss() -> None:
    answer = np.array([[1.0, 0.0], [0.0, 1.0]])
    assert ece(answer, np.array([0, 0])) == 0.5
    assert log_loss(answer, np.array([0, 0])) == pytest.approx(-math.log(np.finfo(np.float64).eps) / 2)


REFERENCES: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "accuracy": lambda answer, target: sklearn.accuracy_score(target, answer.argmax(1)),
    "balanced_accuracy": lambda answer, target: sklearn.balanced_accuracy_score(target, answer.argmax(1)),
    "f1_macro": lambda answer, target: sklearn.f1_score(target, answer.argmax(1), average="macro"),
    "f1_weighted": lambda answer, target: sklearn.f1_score(target, answer.argmax(1), average="weighted"),
    "auroc": lambda answer, target: (
        sklearn.roc_auc_score(target, answer[:, 1]) if answer.shape[1] == 2 else sklearn.roc_auc_score(target, answer, multi_class="ovr")
    ),
    "average_precision": lambda answer, target: sklearn.average_precision_score(target, answer[:, 1]),
    "log_loss": lambda answer, target: sklearn.log_loss(target, answer, labels=range(answer.shape[1])),
}


CASES = [(name, classes) for name in REFERENCES for classes in (2, 3, 7) if name in CLASS_METRICS or classes == 2]


@pytest.mark.parametrize(("name", "classes"), CASES)
@pytest.mark.parametrize("seed", range(3))
def test_as_scikit_learn(name: str, classes: int, seed: int) -> None:
    answer, target = drawn(classes, seed=seed)
    assert BINARY_METRICS[name].score(answer, target) == pytest.approx(REFERENCES[name](answer, target), rel=1e-12)


def test_a_class_that_does_not_occur_is_left_out_of_the_mean() -> None:
    """As scikit-learn does for F1 and balanced accuracy; its AUROC has no value then, ours is that of the others."""
    answer, target = drawn(4)
    kept = target != 3
    answer, target = answer[kept], target[kept]
    areas = [sklearn.roc_auc_score(target == label, answer[:, label]) for label in range(3)]
    assert auroc(answer, target) == pytest.approx(np.mean(areas))
    assert f1_macro(answer, target) == pytest.approx(sklearn.f1_score(target, answer.argmax(1), average="macro"))
    recall = sklearn.recall_score(target, answer.argmax(1), average="macro", labels=[0, 1, 2])
    assert balanced_accuracy(answer, target) == pytest.approx(recall)


def test_an_unseen_label_is_a_wrong_answer() -> None:
    """As scikit-learn scores a label that is never answered."""
    answer, target = drawn(3)
    target[:20] = -1
    given = answer.argmax(1)
    assert accuracy(answer, target) == pytest.approx(sklearn.accuracy_score(target, given))
    assert balanced_accuracy(answer, target) == pytest.approx(sklearn.recall_score(target, given, average="macro"))
    assert f1_macro(answer, target) == pytest.approx(sklearn.f1_score(target, given, average="macro"))
    assert f1_weighted(answer, target) == pytest.approx(sklearn.f1_score(target, given, average="weighted"))
    assert ece(answer, target) > ece(answer[20:], target[20:]) * 180 / 200


def test_an_unseen_label_is_left_out_of_what_probabilities_decide() -> None:
    answer, target = drawn(2)
    unseen = np.concatenate([target, [-1, -1]])
    longer = np.concatenate([answer, [[0.0, 1.0], [1.0, 0.0]]])
    for metric in (auroc, log_loss, average_precision):
        assert metric(longer, unseen) == metric(answer, target)


@pytest.mark.parametrize("target", [[0, 0], [1, 1], [-1, -1], [1, -1]], ids=str)
def test_one_class_alone_has_no_order(target: list[int]) -> None:
    answer = np.array([[0.3, 0.7], [0.6, 0.4]])
    assert auroc(answer, np.array(target)) is None
    assert average_precision(answer, np.array(target)) is None


def test_rows_of_unseen_labels_alone_have_no_log_loss() -> None:
    assert log_loss(ANSWER, np.full(4, -1)) is None


def test_tables_name_their_metrics() -> None:
    assert list(CLASS_METRICS) == ["accuracy", "balanced_accuracy", "f1_macro", "f1_weighted", "auroc", "log_loss", "ece"]
    assert set(BINARY_METRICS) == {*CLASS_METRICS, "average_precision"}
    assert all(metric.score.__name__ == name for name, metric in BINARY_METRICS.items())
