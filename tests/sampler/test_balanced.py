"""How often classes and rows come in an epoch."""

from collections import Counter
from typing import Any

import numpy as np
import pytest

from mmtrain.sampler import Balanced

SHAPE = np.array([0] * 60 + [1] * 30 + [2] * 10)
COLOUR = np.array([0, 1] * 50)


def sampler(
    shape: np.ndarray = SHAPE, *, labelled: np.ndarray | None = None, tasks: tuple[str, ...] = ("shape",), **options: Any
) -> Balanced:
    everywhere = np.ones(len(shape), bool)
    masks = {"shape": everywhere if labelled is None else labelled, "colour": everywhere}
    return Balanced(len(shape), {"shape": shape, "colour": COLOUR[: len(shape)]}, masks, tasks=list(tasks), **options)


def shares(order: np.ndarray, classes: np.ndarray) -> dict[Any, int]:
    return dict(Counter(classes[order].tolist()))


@pytest.mark.parametrize("seed", range(5))
def test_classes_come_equally_often(seed: int) -> None:
    """100 places for three classes; each row of a class as often as any other, give or take one."""
    order = sampler()(seed, 0)
    assert len(order) == 100
    found = shares(order, SHAPE)
    assert all(abs(found[label] - 100 / 3) < 1 for label in range(3))
    rows = Counter(order.tolist())
    assert all(rows[row] in (0, 1) for row in range(60))  # 0.56 places each
    assert all(rows[row] in (1, 2) for row in range(60, 90))  # 1.11
    assert all(rows[row] in (3, 4) for row in range(90, 100))  # 3.33


@pytest.mark.parametrize("power", [0.0, 0.25, 0.5, 0.75, 1.0])
def test_power_lies_between_natural_and_equal_shares(power: float) -> None:
    found = shares(sampler(power=power)(0, 0), SHAPE)
    weights = np.array([60.0, 30.0, 10.0]) ** (1 - power)
    for label, share in enumerate(weights / weights.sum()):
        assert abs(found[label] - 100 * share) < 1


def test_power_0_takes_every_row_once() -> None:
    assert sorted(sampler(power=0.0)(3, 5).tolist()) == list(range(100))


def test_each_combination_of_two_tasks() -> None:
    order = sampler(tasks=("shape", "colour"))(0, 0)
    found = Counter(zip(SHAPE[order].tolist(), COLOUR[order].tolist(), strict=True))
    assert len(found) == 6
    assert all(abs(count - 100 / 6) < 1 for count in found.values())


def test_combinations_that_do_not_occur_get_no_share() -> None:
    """Only 0-0, 1-1, and twice 1-0 are there."""
    order = sampler(np.array([0, 1, 1, 0, 1, 1]), tasks=("shape", "colour"))(0, 0)
    found = Counter(zip(np.array([0, 1, 1, 0, 1, 1])[order].tolist(), COLOUR[order].tolist(), strict=True))
    assert set(found) == {(0, 0), (0, 1), (1, 0), (1, 1)}
    assert all(count in (1, 2) for count in found.values())


def test_unlabelled_rows_keep_their_natural_share() -> None:
    """Whatever number stands in their targets: 20 rows of class 0, and 5 of class 2, have no label."""
    labelled = np.ones(100, bool)
    labelled[:20] = labelled[95:] = False
    order = sampler(labelled=labelled)(0, 0)
    rows = Counter(order.tolist())
    assert all(rows[row] == 1 for row in np.flatnonzero(~labelled))
    found = shares(order[labelled[order]], SHAPE)
    assert sum(found.values()) == 75
    assert all(abs(found[label] - 25) <= 1 for label in range(3))


def test_without_any_label_every_row_comes_once() -> None:
    assert sorted(sampler(labelled=np.zeros(100, bool))(0, 0).tolist()) == list(range(100))


def test_over_epochs_all_rows_of_a_class_come_alike() -> None:
    together = sampler()
    counts = np.bincount(np.concatenate([together(0, epoch) for epoch in range(400)]), minlength=100) / 400
    expected = np.repeat([100 / 3 / 60, 100 / 3 / 30, 100 / 3 / 10], [60, 30, 10])
    assert np.abs(counts - expected).max() < 0.12  # 5 sigma of a fraction that is drawn 400 times


def test_the_order_is_mixed_and_depends_on_seed_and_epoch_alone() -> None:
    together = sampler()
    first = together(0, 0)
    np.random.seed(7)
    assert together(0, 0).tolist() == first.tolist() == sampler()(0, 0).tolist()
    assert len({str(together(seed, epoch)) for seed in range(3) for epoch in range(3)}) == 9
    halves = [(SHAPE[half] == 2).sum() for half in np.split(first, 2)]
    assert min(halves) > 8  # of 33


@pytest.mark.parametrize("rows", [1, 2])
def test_hardly_any_rows(rows: int) -> None:
    assert sorted(sampler(np.arange(rows))(0, 0).tolist()) == list(range(rows))


def test_many_classes_of_one_row() -> None:
    assert sorted(sampler(np.arange(100))(0, 0).tolist()) == list(range(100))
