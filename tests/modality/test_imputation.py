import json

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, SimpleImputer
from sklearn.linear_model import Ridge

from mmtrain.modality.imputation import RIDGE, ROUNDS, Constant, Regression

GAP = np.nan
NONE = np.zeros((300, 0))


def related(rows: int = 300) -> np.ndarray:
    """Three numbers of which each follows from the others but for some noise; a fifth of them missing."""
    draw = np.random.default_rng(0)
    cause = draw.standard_normal(rows)
    whole = np.stack([cause, 2 * cause, -cause], 1) + 0.1 * draw.standard_normal((rows, 3))
    return np.where(draw.random(whole.shape) < 0.2, GAP, whole)


@pytest.mark.parametrize("name", ["mean", "median"])
def test_a_constant_as_scikit_learn(name: str) -> None:
    numbers = related()
    found = Constant.fit(numbers, NONE, average=getattr(np, name)).fill(numbers, NONE)
    assert_allclose(found, SimpleImputer(strategy=name).fit_transform(numbers), atol=1e-12)


def test_a_column_without_a_number_is_zero() -> None:
    numbers, none = np.array([[1.0, GAP], [3.0, GAP]]), np.zeros((2, 0))
    for filling in (Constant.fit(numbers, none, average=np.mean), Regression.fit(numbers, none)):
        assert filling.fill(np.array([[GAP, GAP]]), none[:1]).tolist() == [[2, 0]]


def test_one_missing_number_is_ridge_regression() -> None:
    numbers, none = related(), np.zeros((1, 0))
    numbers = numbers[np.isfinite(numbers).all(1)]
    numbers -= numbers.mean(0)
    found = Regression.fit(numbers, np.zeros((len(numbers), 0))).fill(np.array([[0.3, GAP, -0.3]]), none)
    ridge = Ridge(alpha=RIDGE * len(numbers), fit_intercept=False).fit(numbers[:, [0, 2]], numbers[:, 1])
    assert_allclose(found, [[0.3, ridge.predict([[0.3, -0.3]])[0], -0.3]], atol=1e-9)


def test_several_missing_numbers_as_scikit_learn() -> None:
    numbers = related()
    low, high = np.nanmin(numbers, 0), np.nanmax(numbers, 0)
    ridge = Ridge(alpha=RIDGE * len(numbers))
    other = IterativeImputer(ridge, max_iter=30, tol=1e-6, imputation_order="roman", min_value=low, max_value=high)
    expected = other.fit_transform(numbers)
    found = Regression.fit(numbers, NONE).fill(numbers, NONE)
    assert_allclose(found, expected, atol=0.05)
    known = np.isfinite(numbers)
    assert (found[known] == numbers[known]).all()


def test_a_column_beside_the_numbers_predicts_too() -> None:
    kind = np.repeat([[1.0, 0.0], [0.0, 1.0]], 50, 0)
    numbers = np.where(kind[:, :1] == 1, 5.0, -5.0)
    filling = Regression.fit(numbers, kind)
    assert_allclose(filling.fill(np.full((2, 1), GAP), np.eye(2)), [[5], [-5]], atol=0.05)


def test_no_prediction_leaves_the_range_of_train() -> None:
    draw = np.random.default_rng(0).uniform(0, 1, 100)
    filling = Regression.fit(np.stack([draw, draw], 1), np.zeros((100, 0)))
    found = filling.fill(np.array([[1000.0, GAP], [GAP, -1000.0]]), np.zeros((2, 0)))
    assert_allclose(found, [[1000, draw.max()], [draw.min(), -1000]])


def test_a_row_is_filled_the_same_in_any_company() -> None:
    numbers = related()
    filling = Regression.fit(numbers, NONE)
    together = filling.fill(numbers, NONE)
    for row in range(20):
        assert_allclose(filling.fill(numbers[[row]], NONE[[row]]), together[[row]], atol=1e-12)


@pytest.mark.parametrize("rows", [1, 2])
def test_few_rows(rows: int) -> None:
    filling = Regression.fit(related(300)[:rows], NONE[:rows])
    assert np.isfinite(filling.fill(np.array([[GAP, 1.0, GAP]]), NONE[:1])).all()


def test_state_is_json() -> None:
    numbers = related()
    for filling in (Regression.fit(numbers, NONE), Constant.fit(numbers, NONE, average=np.mean)):
        restored = type(filling).restore(json.loads(json.dumps(filling.state())))
        assert (restored.fill(numbers, NONE) == filling.fill(numbers, NONE)).all()


def test_fitting_is_ridge_regression_of_each_column_in_turn() -> None:
    """The products of all rows, brought up to date as predictions change, give what each step's own rows would."""
    numbers, kinds = related(), np.eye(3)[np.random.default_rng(1).integers(0, 3, 300)]
    means = np.concatenate([np.nanmean(numbers, 0), kinds.mean(0)])
    centred = np.concatenate([numbers, kinds], 1) - means
    missing = np.isnan(centred)
    low, high = np.nanmin(centred, 0), np.nanmax(centred, 0)
    centred[missing] = 0
    for _ in range(ROUNDS):
        for place in range(3):
            others, gone = np.delete(centred, place, 1), missing[:, place]
            ridge = Ridge(alpha=RIDGE * (~gone).sum(), fit_intercept=False).fit(others[~gone], centred[~gone, place])
            centred[gone, place] = ridge.predict(others[gone]).clip(low[place], high[place])
    assert_allclose(Regression.fit(numbers, kinds).weights[2], np.insert(ridge.coef_, 2, 0), atol=1e-9)
