import numpy as np
from numpy.testing import assert_array_equal
from scipy.stats import rankdata

from mmtrain.metric.ranks import ranks


def test_by_hand() -> None:
    assert_array_equal(ranks(np.array([30.0, 10.0, 20.0, 10.0])), [4, 1.5, 3, 1.5])
    assert_array_equal(ranks(np.array([5])), [1])


def test_as_scipy_with_many_ties() -> None:
    values = np.random.default_rng(0).integers(0, 7, 50)
    assert_array_equal(ranks(values), rankdata(values))
