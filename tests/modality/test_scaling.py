import json

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.preprocessing import QuantileTransformer

from mmtrain.modality.scaling import KNOTS, Logarithm, Quantile, Standard

SCALERS = pytest.mark.parametrize("scaler", [Standard, Logarithm, Quantile])


def test_standard() -> None:
    scaler = Standard.fit(np.array([2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]))  # the textbook example: mean 5, deviation 2
    assert_allclose(scaler.scale(np.array([5.0, 9.0, -1.0])), [0, 2, -3])


def test_logarithm() -> None:
    scaler = Logarithm.fit(np.expm1([2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]))  # the same example
    assert_allclose(scaler.scale(np.expm1([5.0, 9.0])), [0, 2])
    assert_allclose(scaler.scale(-np.expm1([1.0])), [-3])  # the logarithm of a number below 0 is that of its size, below 0


def test_a_number_out_of_all_bounds_stays_finite() -> None:
    scaler = Standard.fit(np.array([1.0, 3.0]))
    assert scaler.scale(np.array([1e300, -1e300, 1002.0])).tolist() == [1e4, -1e4, 1000]


@pytest.mark.parametrize("values", [np.random.default_rng(0).lognormal(size=500), np.repeat([0.0, 1.0, 50.0], [300, 150, 50])])
def test_quantile_as_scikit_learn(values: np.ndarray) -> None:
    other = QuantileTransformer(n_quantiles=KNOTS if len(values) >= KNOTS else len(values), output_distribution="normal")
    expected = other.fit_transform(values[:, None])[:, 0]
    inside = (values > values.min()) & (values < values.max())  # scikit-learn sends the ends to +-5.2
    assert_allclose(Quantile.fit(values).scale(values)[inside], expected[inside], atol=0.02)


def test_an_outlier_moves_nothing() -> None:
    values = np.linspace(0, 1, 2001)
    spoilt = np.append(values, 1e12)
    asked = np.linspace(0.1, 0.9, 9)
    assert_allclose(Quantile.fit(spoilt).scale(asked), Quantile.fit(values).scale(asked), atol=0.01)
    assert_allclose(Quantile.fit(values).scale(np.array([0.5, 1e9, -1e9])), [0, 3.29, -3.29], atol=0.01)


@SCALERS
@pytest.mark.parametrize("values", [[], [3.0], [3.0, 3.0], [0.1] * 1000])  # the deviation of the last is 1.4e-17
def test_a_constant_column_says_nothing(scaler: type[Standard] | type[Quantile], values: list[float]) -> None:
    assert scaler.fit(np.array(values)).scale(np.array([3.0, 0.1, -7.0, 1e9])).tolist() == [0, 0, 0, 0]


@SCALERS
def test_state_comes_back_from_json(scaler: type[Standard] | type[Quantile]) -> None:
    values = np.random.default_rng(0).normal(size=50)
    fitted = scaler.fit(values)
    restored = scaler.restore(json.loads(json.dumps(fitted.state())))
    np.testing.assert_array_equal(restored.scale(values), fitted.scale(values))
