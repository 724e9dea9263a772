"""Bringing a column of numbers to a scale that a network learns from, with what the train rows show.

A column that is constant in train, or has no number there, says nothing: it is 0 everywhere.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

FARTHEST = 1e4  # deviations from the mean; half precision holds six times as much
KNOTS = 1001  # train quantiles that are kept, a tenth of a percent apart


@dataclass(frozen=True)
class Standard:
    """Mean 0 and deviation 1 over the train values."""

    mean: float
    deviation: float

    @classmethod
    def fit(cls, values: np.ndarray) -> "Standard":
        """Measure the train values (n,)."""
        if not len(values):
            return cls(0.0, 0.0)
        differ = np.ptp(values) > 0  # asked of the values: rounding gives a constant column a deviation, too
        return cls(float(values.mean()), float(values.std()) if differ else 0.0)

    @classmethod
    def restore(cls, state: Any) -> "Standard":
        """From what `state` gave."""
        return cls(**state)

    def state(self) -> Any:
        """Mean and deviation."""
        return {"mean": self.mean, "deviation": self.deviation}

    def scale(self, values: np.ndarray) -> np.ndarray:
        """Deviations from the mean, (n,); no further than `FARTHEST`, where a network would see no more than a large number."""
        return ((values - self.mean) / self.deviation).clip(-FARTHEST, FARTHEST) if self.deviation > 0 else np.zeros_like(values)


@dataclass(frozen=True)
class Logarithm:
    """Mean 0 and deviation 1 over the train values of log(1 + x), of log(1 - x) with a minus for numbers below 0."""

    standard: Standard

    @classmethod
    def fit(cls, values: np.ndarray) -> "Logarithm":
        """Measure the train values (n,)."""
        return cls(Standard.fit(_logarithm(values)))

    @classmethod
    def restore(cls, state: Any) -> "Logarithm":
        """From what `state` gave."""
        return cls(Standard.restore(state))

    def state(self) -> Any:
        """Mean and deviation of the logarithms."""
        return self.standard.state()

    def scale(self, values: np.ndarray) -> np.ndarray:
        """Deviations of the logarithms from their mean, (n,)."""
        return self.standard.scale(_logarithm(values))


@dataclass(frozen=True)
class Quantile:
    """The rank among the train values, from 0 to 1, as the score that has this rank in a normal distribution; at most about 3.3.

    Equal train values share the middle of their ranks, as in scikit-learn's `QuantileTransformer`.
    """

    quantiles: list[float]

    @classmethod
    def fit(cls, values: np.ndarray) -> "Quantile":
        """Keep the quantiles of the train values (n,)."""
        return cls(np.quantile(values, np.linspace(0, 1, KNOTS)).tolist() if len(values) else [0.0])

    @classmethod
    def restore(cls, state: Any) -> "Quantile":
        """From what `state` gave."""
        return cls(list(state))

    def state(self) -> Any:
        """The quantiles, in rising order."""
        return self.quantiles

    def scale(self, values: np.ndarray) -> np.ndarray:
        """Normal scores, (n,)."""
        knots = np.array(self.quantiles)
        if knots[0] == knots[-1]:
            return np.zeros_like(values)
        ranks = np.linspace(0, 1, len(knots))
        rank = (np.interp(values, knots, ranks) - np.interp(-values, -knots[::-1], -ranks[::-1])) / 2
        margin = 1 / (2 * KNOTS)  # the ends of train lie at a finite score
        return torch.special.ndtri(torch.from_numpy(rank).clamp(margin, 1 - margin)).numpy()


def _logarithm(values: np.ndarray) -> np.ndarray:
    return np.sign(values) * np.log1p(np.abs(values))
