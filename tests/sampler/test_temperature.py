"""Shares by hand, and both ends."""

import numpy as np
import pytest

from mmtrain.sampler import Equal, Proportional, Temperature


@pytest.mark.parametrize(
    ("options", "small"),
    [
        ({}, 100 / 3),  # 2 to 1, as the roots of 80 and 20
        ({"temperature": 2.0, "cap": 45}, 40.0),  # 3 to 2, as the roots of 45 and 20
        ({"temperature": 1.0, "cap": 60}, 25.0),
        ({"temperature": 1e9}, 50.0),
        ({"temperature": 1.0, "cap": 10}, 50.0),
    ],
)
def test_shares(options: dict[str, float], small: float, labelled: dict[str, np.ndarray]) -> None:
    sampler = Temperature(100, {}, labelled, **options)  # type: ignore[arg-type]
    assert all(abs(labelled["small"][sampler(seed, 0)].sum() - small) < 1 + 1e-6 for seed in range(5))


def test_the_ends_are_samplers_of_their_own(gaps: dict[str, np.ndarray]) -> None:
    assert np.array_equal(Temperature(100, {}, gaps, temperature=1.0)(2, 3), Proportional(100, {}, gaps)(2, 3))
    assert np.array_equal(Temperature(100, {}, gaps, temperature=1e12)(2, 3), Equal(100, {}, gaps)(2, 3))
