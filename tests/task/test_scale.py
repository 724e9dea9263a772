import json
import math
from typing import Literal

import numpy as np
import pytest
from numpy.testing import assert_allclose

from mmtrain.task.scale import Scale

NUMBERS = np.array([0.0, 3.0, 3.0, 6.0])


def test_standard_by_hand() -> None:
    """Mean 3, deviation sqrt(18 / 4)."""
    scale = Scale.fit("standard", NUMBERS)
    assert_allclose(scale.scale(np.array([3.0, 6.0])), [0, 3 / math.sqrt(4.5)])


def test_log1p_by_hand() -> None:
    """log(1 + x) of 0 and e - 1 is 0 and 1: mean 1/2, deviation 1/2."""
    scale = Scale.fit("log1p", np.array([0.0, math.e - 1]))
    assert_allclose(scale.scale(np.array([0.0, math.e - 1, math.e**3 - 1])), [-1, 1, 5])


@pytest.mark.parametrize("scaling", ["standard", "log1p"])
def test_there_and_back_through_json(scaling: Literal["standard", "log1p"]) -> None:
    scale = Scale.fit(scaling, NUMBERS)
    restored = Scale.restore(json.loads(json.dumps(scale.state())))
    assert restored == scale
    assert_allclose(restored.unscale(scale.scale(NUMBERS)), NUMBERS, atol=1e-12)


def test_log1p_never_answers_below_0() -> None:
    scale = Scale.fit("log1p", NUMBERS)
    assert_allclose(scale.unscale(np.array([-50.0])), [0.0])


def test_an_answer_beyond_all_numbers_is_infinite() -> None:
    assert_allclose(Scale.fit("log1p", NUMBERS).unscale(np.array([1e6])), [np.inf])


def test_large_numbers_keep_their_digits_in_float32() -> None:
    """Seconds since 1970 need 31 bits, float32 has 24: their deviations from the mean have room."""
    numbers = 1.7e9 + np.array([0.0, 60.0, 120.0, 180.0])
    scale = Scale.fit("standard", numbers)
    assert_allclose(scale.unscale(scale.scale(numbers).astype(np.float32)), numbers, rtol=0, atol=1e-4)
