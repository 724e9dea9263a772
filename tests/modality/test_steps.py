import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from mmtrain.modality.steps import levelled, resampled, with_differences

NAN = np.nan


def column(*values: float) -> np.ndarray:
    return np.array(values, np.float64)[:, None]


def test_resampled_on_straight_lines() -> None:
    values = np.array([[0.0, 5], [10, 5], [40, 8]])
    assert_allclose(resampled(values, np.array([0.0, 1, 3]), 7)[:, 0], [0, 5, 10, 17.5, 25, 32.5, 40])
    expected = np.array([[0, 5], [5, 5], [10, 5], [25, 6.5], [40, 8]])
    assert_allclose(resampled(values, np.array([0.0, 1, 2]), 5), expected)


def test_resampled_to_as_many_steps_is_the_same() -> None:
    values = np.random.default_rng(0).normal(size=(17, 3))
    assert_allclose(resampled(values, np.arange(17.0), 17), values)


def test_nothing_is_made_up_beside_an_unknown_value() -> None:
    values = column(0, NAN, 4, 6, NAN)
    assert_allclose(resampled(values, np.arange(5.0), 9)[:, 0], [0, NAN, NAN, NAN, 4, 5, 6, NAN, NAN])
    assert np.isnan(resampled(column(NAN, NAN), np.arange(2.0), 3)).all()


@pytest.mark.parametrize(("times", "expected"), [([0.0, 0, 0], [3, 3]), ([1.0, 2, 2], [1, 3]), ([5.0], [1, 1])])
def test_times_may_be_equal(times: list[float], expected: list[float]) -> None:
    found = resampled(column(1, 2, 3)[: len(times)], np.array(times), 2)
    assert_array_equal(found[:, 0], expected)


def test_levels() -> None:
    values = np.array([[1.0, 7, NAN], [3, 7, NAN], [NAN, 7, NAN]])
    assert levelled(values, "none") is values
    assert_array_equal(levelled(values, "centre"), [[-1, 0, NAN], [1, 0, NAN], [NAN, 0, NAN]])
    assert_array_equal(levelled(values * 5, "standard"), [[-1, 0, NAN], [1, 0, NAN], [NAN, 0, NAN]])


def test_a_constant_channel_has_no_deviation_by_rounding() -> None:
    found = levelled(column(*[0.1] * 1000), "standard")
    assert np.abs(found).max() < 1e-12


def test_differences() -> None:
    found = with_differences(np.array([[1.0, 5], [4, NAN], [2, 6]]))
    assert_array_equal(found, [[1, 5, NAN, NAN], [4, NAN, 3, NAN], [2, 6, -2, NAN]])
