"""Skill, and what has no value."""

import subprocess
import sys
import time

import numpy as np
import pytest

from mmtrain.metric import BINARY_METRICS, CLASS_METRICS, NUMBER_METRICS, evaluate

FREQUENCIES = np.array([0.5, 0.3, 0.2])
TARGET = np.array([0, 1, 2, 0, 1, 0])
NUMBERS = np.array([1.0, 2.0, 4.0, 9.0])


def test_skill_by_hand() -> None:
    """Three of six right where the majority class has two right; half way from 1/3 to 1 is 2/3."""
    target = np.array([0, 0, 1, 1, 2, 2])
    answer = np.eye(3)[[0, 0, 1, 1, 0, 0]]
    found = evaluate(CLASS_METRICS, "accuracy", answer, target, FREQUENCIES)
    assert found["rows"] == 6
    assert found["accuracy"] == pytest.approx(2 / 3)
    assert found["constant"] == pytest.approx(1 / 3)
    assert found["skill"] == pytest.approx(0.5)


def test_an_error_is_better_the_smaller_it_is() -> None:
    """The constant 3 is off by 2, 1, 1, 6: mean 2.5. An error of 1 everywhere is 3/5 of the way to none."""
    found = evaluate(NUMBER_METRICS, "mae", NUMBERS + 1, NUMBERS, np.array([3.0]))
    assert found["constant"] == pytest.approx(2.5)
    assert found["skill"] == pytest.approx(0.6)


def test_worse_than_the_constant_is_below_0() -> None:
    found = evaluate(CLASS_METRICS, "accuracy", np.eye(3)[[1, 2, 0, 1, 2, 1]], TARGET, FREQUENCIES)
    assert found["skill"] == pytest.approx(-1.0)


def test_order_of_what_is_found() -> None:
    found = evaluate(NUMBER_METRICS, "r2", NUMBERS, NUMBERS, np.array([4.0]))
    assert list(found) == ["rows", "mae", "rmse", "r2", "spearman", "constant", "skill"]
    assert all(value is None or type(value) in (int, float) for value in found.values())


def test_without_rows_nothing_is_defined() -> None:
    found = evaluate(BINARY_METRICS, "auroc", np.zeros((0, 2)), np.zeros(0, int), FREQUENCIES[:2])
    assert found.pop("rows") == 0
    assert set(found.values()) == {None}


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_answers_that_are_no_numbers_have_no_score(bad: float) -> None:
    """The constant answer still has its own."""
    answer = NUMBERS.copy()
    answer[2] = bad
    found = evaluate(NUMBER_METRICS, "mae", answer, NUMBERS, np.array([3.0]))
    assert found.pop("rows") == 4
    assert found.pop("constant") == pytest.approx(2.5)
    assert set(found.values()) == {None}


def test_answers_whose_squares_are_infinite() -> None:
    found = evaluate(NUMBER_METRICS, "rmse", NUMBERS * 1e300, NUMBERS, np.array([4.0]))
    assert found["rmse"] is None
    assert found["skill"] is None


def test_one_class_alone_has_no_skill_in_auroc() -> None:
    found = evaluate(BINARY_METRICS, "auroc", np.array([[0.2, 0.8]]), np.array([1]), FREQUENCIES[:2])
    assert (found["auroc"], found["constant"], found["skill"]) == (None, None, None)
    assert found["accuracy"] == 1.0


def test_no_skill_where_the_constant_is_perfect() -> None:
    found = evaluate(CLASS_METRICS, "accuracy", np.eye(3)[[0, 1]], np.array([0, 0]), FREQUENCIES)
    assert (found["accuracy"], found["constant"], found["skill"]) == (0.5, 1.0, None)


def test_three_binary_tasks_of_60000_rows_take_no_time() -> None:
    rng = np.random.default_rng(0)
    target = rng.integers(0, 2, 60_000)
    positive = rng.random(60_000)
    answer = np.stack([1 - positive, positive], 1)
    evaluate(BINARY_METRICS, "auroc", answer[:9], target[:9], FREQUENCIES[:2])  # imports scikit-learn
    begin = time.process_time()
    for _ in range(3):
        evaluate(BINARY_METRICS, "auroc", answer, target, FREQUENCIES[:2])
    assert time.process_time() - begin < 1.0  # 0.3 s on an idle machine


def test_scikit_learn_is_imported_by_the_first_score() -> None:
    """It takes a second to import, which would be added to commands that score nothing."""
    code = "import sys, mmtrain.metric; print({'sklearn', 'scipy'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
