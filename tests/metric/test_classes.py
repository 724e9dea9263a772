"""Against literals worked by hand and formulas in numpy, on probabilities with many ties."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mmtrain.metric import evaluate
from mmtrain.metric.classes import (
    BINARY_METRICS,
    CLASS_METRICS,
    accuracy,
    auroc,
    average_precision,
    balanced_accuracy,
    by_class,
    ece,
    f1,
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


def test_f1_is_of_the_second_class() -> None:
    """Answers 1, 1, 0, 0: of two found, one is right, and one of two is found; a class that train never saw is not the second."""
    answer = np.array([[0.1, 0.9], [0.2, 0.8], [0.7, 0.3], [0.6, 0.4]])
    assert f1(answer, np.array([1, 0, 1, 0])) == pytest.approx(0.5)
    assert f1(answer, np.array([1, 1, 0, -1])) == 1.0
    assert f1(answer[2:], np.array([0, 0])) == 0.0


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


def recalls(given: np.ndarray, target: np.ndarray) -> list[float]:
    return [(given[target == label] == label).mean() for label in np.unique(target)]


def f1s(given: np.ndarray, target: np.ndarray) -> dict[int, float]:
    """Twice the rows answered right, over the rows of the class plus those that are answered so."""
    labels = np.union1d(given, target).tolist()
    return {
        label: 2 * ((given == label) & (target == label)).sum() / ((given == label).sum() + (target == label).sum()) for label in labels
    }


def area(score: np.ndarray, positive: np.ndarray) -> float:
    """Share of the pairs of a positive and a negative row that are in order; a tie is half of one."""
    gaps = score[positive][:, None] - score[~positive]
    return float(((gaps > 0) + 0.5 * (gaps == 0)).mean())


def precision_weighed_by_recall(score: np.ndarray, positive: np.ndarray) -> float:
    """Each positive row brings the precision among the rows that score at least as high."""
    return float(np.mean([positive[score >= threshold].mean() for threshold in score[positive]]))


def calibration_by_bins(confidence: np.ndarray, right: np.ndarray) -> float:
    """Bin by bin: its share of the rows times the distance of its mean confidence from its accuracy."""
    total = 0.0
    for place in range(15):
        rows = (confidence > place / 15) & (confidence <= (place + 1) / 15)
        total += rows.mean() * abs(confidence[rows].mean() - right[rows].mean()) if rows.any() else 0
    return total


FORMULAS: dict[str, Callable[[np.ndarray, np.ndarray], Any]] = {
    "accuracy": lambda answer, target: (answer.argmax(1) == target).mean(),
    "balanced_accuracy": lambda answer, target: np.mean(recalls(answer.argmax(1), target)),
    "f1_macro": lambda answer, target: np.mean(list(f1s(answer.argmax(1), target).values())),
    "f1_weighted": lambda answer, target: sum((target == label).mean() * f1 for label, f1 in f1s(answer.argmax(1), target).items()),
    "auroc": lambda answer, target: np.mean([area(answer[:, label], target == label) for label in np.unique(target)]),
    "average_precision": lambda answer, target: precision_weighed_by_recall(answer[:, 1], target == 1),
    "f1": lambda answer, target: f1s(answer.argmax(1), target)[1],
    "ece": lambda answer, target: calibration_by_bins(answer.max(1), answer.argmax(1) == target),
    "log_loss": lambda answer, target: -np.log(answer[np.arange(len(target)), target].clip(np.finfo(np.float64).eps)).mean(),
}


CASES = [(name, classes) for name in FORMULAS for classes in (2, 3, 7) if name in CLASS_METRICS or classes == 2]


@pytest.mark.parametrize(("name", "classes"), CASES)
@pytest.mark.parametrize("seed", range(3))
def test_as_the_formula_says(name: str, classes: int, seed: int) -> None:
    answer, target = drawn(classes, seed=seed)
    assert BINARY_METRICS[name].score(answer, target) == pytest.approx(FORMULAS[name](answer, target), rel=1e-12)


def test_a_class_that_does_not_occur_is_left_out_of_the_mean() -> None:
    answer, target = drawn(4)
    answer, target = answer[target != 3], target[target != 3]
    assert 3 in answer.argmax(1)
    found = evaluate(CLASS_METRICS, "accuracy", answer, target, np.full(4, 0.25))
    for name in ("balanced_accuracy", "f1_macro", "f1_weighted", "auroc", "log_loss"):
        assert found[name] == pytest.approx(FORMULAS[name](answer, target)), name


def test_an_unseen_label_is_a_wrong_answer() -> None:
    """It counts as a class of its own, which nothing is answered for."""
    answer, target = drawn(3)
    target[:20] = -1
    for name in ("accuracy", "balanced_accuracy", "f1_macro", "f1_weighted"):
        assert CLASS_METRICS[name].score(answer, target) == pytest.approx(FORMULAS[name](answer, target)), name
    assert ece(answer, target) > ece(answer[20:], target[20:]) * 180 / 200


def test_many_classes_in_few_rows_are_no_numbers() -> None:
    """scikit-learn warns that they might be."""
    answer = np.eye(30)
    assert evaluate(CLASS_METRICS, "accuracy", answer, np.arange(30), answer[0])["accuracy"] == 1.0


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


def test_by_class_by_hand() -> None:
    """Answers 0, 1, 1, 0 to 0, 1, 2, 0: class 1 is answered right and once too often, class 2 is never answered."""
    assert by_class(ANSWER, TARGET) == [
        {"precision": 1.0, "recall": 1.0, "f1": 1.0, "rows": 2},
        {"precision": 0.5, "recall": 1.0, "f1": pytest.approx(2 / 3), "rows": 1},
        {"precision": None, "recall": 0.0, "f1": 0.0, "rows": 1},
    ]


@pytest.mark.parametrize("classes", [2, 3, 30])
def test_by_class_as_the_formulas_say(classes: int) -> None:
    """Also with many classes in few rows, of which scikit-learn warns, and with a label that train never saw."""
    answer, target = drawn(classes, rows=50)
    target[:5] = -1
    given = answer.argmax(1)
    for label, found in enumerate(by_class(answer, target)):
        right, answered, there = ((given == label) & (target == label)).sum(), (given == label).sum(), (target == label).sum()
        assert found["rows"] == there
        assert found["precision"] == (pytest.approx(right / answered) if answered else None)
        assert found["recall"] == (pytest.approx(right / there) if there else None)
        assert found["f1"] == (pytest.approx(2 * right / (answered + there)) if answered + there else None)


def test_by_class_and_the_macro_metrics_say_the_same() -> None:
    answer, target = drawn(7)
    found = by_class(answer, target)
    assert np.mean([label["f1"] for label in found]) == pytest.approx(f1_macro(answer, target))
    assert np.mean([label["recall"] for label in found]) == pytest.approx(balanced_accuracy(answer, target))


@pytest.mark.parametrize(("answer", "rows"), [(np.zeros((0, 3)), 0), (np.full((4, 3), np.nan), 4)], ids=["no row", "no numbers"])
def test_by_class_of_what_cannot_be_scored(answer: np.ndarray, rows: int) -> None:
    found = by_class(answer, TARGET[:rows])
    assert [label["rows"] for label in found] == ([2, 1, 1] if rows else [0, 0, 0])
    assert all(label[name] is None for label in found for name in ("precision", "recall", "f1"))


def test_tables_name_their_metrics() -> None:
    assert list(CLASS_METRICS) == ["accuracy", "balanced_accuracy", "f1_macro", "f1_weighted", "auroc", "log_loss", "ece"]
    assert set(BINARY_METRICS) == {*CLASS_METRICS, "average_precision", "f1"}
    assert all(metric.score.__name__ == name for name, metric in BINARY_METRICS.items())
