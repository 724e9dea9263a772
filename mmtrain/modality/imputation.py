"""What stands in for a number that is missing in a row that has others."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

ROUNDS = 10  # of predicting each number from the others, which may be predictions themselves
RIDGE = 1e-3  # a row, beside a variance of about 1: columns that repeat each other share their weight


@dataclass(frozen=True)
class Constant:
    """One number a column, such as its mean over train; 0 for a column without a train value."""

    values: np.ndarray

    @classmethod
    def fit(cls, numbers: np.ndarray, others: np.ndarray, *, average: Callable[[np.ndarray], Any]) -> "Constant":
        """From train numbers (n, N), NaN where missing; `others` are not read."""
        known = [column[np.isfinite(column)] for column in numbers.T]
        return cls(np.array([average(column) if len(column) else 0.0 for column in known]))

    @classmethod
    def restore(cls, state: Any) -> "Constant":
        """From what `state` gave."""
        return cls(np.array(state))

    def state(self) -> Any:
        """The numbers, in the order of the columns."""
        return self.values.tolist()

    def fill(self, numbers: np.ndarray, others: np.ndarray) -> np.ndarray:
        """Numbers (n, N) without a NaN; `others` are not read."""
        return np.where(np.isfinite(numbers), numbers, self.values)


@dataclass(frozen=True)
class Regression:
    """A linear regression of each number on the row's other numbers, and on `others` of which none is missing.

    Where several numbers of a row are missing, each starts as its train mean and is then predicted in turn, `ROUNDS` times over, so
    that predictions follow one another; none leaves the range of train. Fitting does the same with the train rows, and fits each
    number's weights, on the rows that have it, in between.

    Source: van Buuren and Groothuis-Oudshoorn 2011, mice, section 2.3, with ridge regression and the prediction itself in place
    of a draw, as scikit-learn's `IterativeImputer`.
    """

    means: np.ndarray  # (N + K,), of numbers and others
    weights: np.ndarray  # (N, N + K), of a number's own place 0
    low: np.ndarray  # (N,), the train numbers less their means
    high: np.ndarray

    @classmethod
    def fit(cls, numbers: np.ndarray, others: np.ndarray) -> "Regression":
        """From train numbers (n, N), NaN where missing, and others (n, K)."""
        means = np.concatenate([Constant.fit(numbers, others, average=np.mean).values, others.mean(0)])
        centred = np.concatenate([numbers, others], 1) - means
        missing = ~np.isfinite(centred)
        centred[missing] = 0
        count = numbers.shape[1]
        low, high = (bound(centred[:, :count], 0, initial=0.0) for bound in (np.min, np.max))
        found = cls(means, np.zeros((count, len(means))), low, high)
        products = centred.T @ centred
        for _ in range(ROUNDS if missing.any() else 1):
            for place in range(count):
                lacking = centred[missing[:, place]]
                found.weights[place] = _ridge(products - lacking.T @ lacking, len(centred) - len(lacking), place)
                if len(lacking):
                    found._predict(centred, missing[:, place], place)
                    products[place] = products[:, place] = centred[:, place] @ centred
        return found

    @classmethod
    def restore(cls, state: Any) -> "Regression":
        """From what `state` gave."""
        return cls(**{name: np.array(values) for name, values in state.items()})

    def state(self) -> Any:
        """Means, weights, and the ranges of train."""
        return {name: getattr(self, name).tolist() for name in ("means", "weights", "low", "high")}

    def fill(self, numbers: np.ndarray, others: np.ndarray) -> np.ndarray:
        """Numbers (n, N) without a NaN."""
        centred = np.concatenate([numbers, others], 1) - self.means
        missing = ~np.isfinite(centred)
        centred[missing] = 0
        for _ in range(ROUNDS):
            for place in np.flatnonzero(missing.any(0)).tolist():
                self._predict(centred, missing[:, place], place)
        return np.where(np.isfinite(numbers), numbers, (centred + self.means)[:, : numbers.shape[1]])

    def _predict(self, centred: np.ndarray, rows: np.ndarray, place: int) -> None:
        """Put the prediction of one number into the rows that lack it."""
        centred[rows, place] = (centred[rows] @ self.weights[place]).clip(self.low[place], self.high[place])


def _ridge(products: np.ndarray, rows: int, place: int) -> np.ndarray:
    """Weights (N + K,) that predict one column from the others, by their products (N + K, N + K), each summed over so many rows."""
    predictors = np.delete(np.arange(len(products)), place)
    penalty = RIDGE * max(rows, 1) * np.eye(len(predictors))
    weights = np.zeros(len(products))
    weights[predictors] = np.linalg.solve(products[np.ix_(predictors, predictors)] + penalty, products[predictors, place])
    return weights
