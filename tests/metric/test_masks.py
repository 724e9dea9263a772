import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn import metrics

from mmtrain.metric import IGNORED, MASK_METRICS, by_mask, confusion, constant, masks


def drawn(classes: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Answers that are right half of the time; some pixels are ignored, and the last class does not occur."""
    random = np.random.default_rng(0)
    target = random.integers(0, classes - 1, (5, 6, 7)).astype(np.uint8)
    answer = np.where(random.random(target.shape) < 0.5, target, random.integers(0, classes - 1, target.shape)).astype(np.uint8)
    target[random.random(target.shape) < 0.1] = IGNORED
    return answer, target


def test_values_are_those_of_scikit_learn() -> None:
    answer, target = drawn()
    scored = target != IGNORED
    table = confusion(answer, target, 4)
    assert_array_equal(table, metrics.confusion_matrix(target[scored], answer[scored], labels=range(4)))
    expected = {
        "mean_iou": metrics.jaccard_score(target[scored], answer[scored], average="macro"),
        "dice": metrics.f1_score(target[scored], answer[scored], average="macro"),
        "pixel_accuracy": metrics.accuracy_score(target[scored], answer[scored]),
    }
    for name, metric in MASK_METRICS.items():
        assert metric.score(table, target) == pytest.approx(expected[name])


def test_values_by_hand() -> None:
    """Class 0: 1 of 3 pixels in either; class 1: 1 of 3; class 2 is answered once and nowhere to be seen."""
    target, answer = np.array([[[0, 0, 1, 1]]], np.uint8), np.array([[[0, 1, 1, 2]]], np.uint8)
    table = confusion(answer, target, 4)
    found = {name: metric.score(table, target) for name, metric in MASK_METRICS.items()}
    assert found == pytest.approx({"mean_iou": (1 / 2 + 1 / 3 + 0) / 3, "dice": (2 / 3 + 2 / 4 + 0) / 3, "pixel_accuracy": 1 / 2})


def test_each_class() -> None:
    answer, target = drawn()
    scored = target != IGNORED
    found = by_mask(answer, target, 4)
    for place in range(3):
        ours, theirs = target[scored] == place, answer[scored] == place
        expected = {
            "precision": metrics.precision_score(ours, theirs),
            "recall": metrics.recall_score(ours, theirs),
            "f1": metrics.f1_score(ours, theirs),
            "iou": metrics.jaccard_score(ours, theirs),
            "rows": 5,
        }
        assert found[place] == pytest.approx(expected)
    assert found[3] == {"precision": None, "recall": None, "f1": None, "iou": None, "rows": 0}


def test_one_class_everywhere() -> None:
    answer, target = drawn()
    expected = confusion(np.full_like(answer, 2), target, 4)
    assert_array_equal(constant(confusion(answer, target, 4), 2), expected)


def test_it_is_the_same_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    answer, target = drawn()
    whole = confusion(answer, target, 4)
    monkeypatch.setattr(masks, "PIXELS", 90)
    assert_array_equal(confusion(answer, target, 4), whole)
    answer[4, 0, 0] = masks.NOTHING
    assert np.isnan(confusion(answer, target, 4)).all()
    assert all(entry["iou"] is None for entry in by_mask(answer, target, 4))
    assert_array_equal(confusion(answer[:0], target[:0], 4), np.zeros((4, 4)))
