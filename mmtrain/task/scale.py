"""Between the user's numbers and those that a network learns."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from jaxtyping import Float

Values = Float[np.ndarray, "..."]


@dataclass(frozen=True)
class Scale:
    """Deviations from the train mean, of the numbers themselves or (`log1p`) of the logarithm of 1 + number."""

    scaling: Literal["standard", "log1p"]
    centre: float
    deviation: float

    @classmethod
    def fit(cls, scaling: Literal["standard", "log1p"], numbers: Values) -> "Scale":
        """Measure the train numbers, of which at least two differ."""
        values = np.log1p(numbers) if scaling == "log1p" else numbers
        return cls(scaling, float(values.mean()), float(values.std()))

    @classmethod
    def restore(cls, state: Mapping[str, Any]) -> "Scale":
        """From what `state` gave."""
        return cls(**state)

    def state(self) -> dict[str, Any]:
        """The fields."""
        return asdict(self)

    def scale(self, numbers: Values) -> Values:
        """From the user's units to deviations."""
        values = np.log1p(numbers) if self.scaling == "log1p" else numbers
        return (values - self.centre) / self.deviation

    def unscale(self, deviations: Values) -> Values:
        """From deviations, in double precision, to the user's units; never below 0 under `log1p`."""
        values = deviations.astype(np.float64) * self.deviation + self.centre
        with np.errstate(over="ignore"):  # a model that has diverged answers infinity
            return np.expm1(values).clip(0) if self.scaling == "log1p" else values
