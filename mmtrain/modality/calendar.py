"""A column of dates as numbers that a network learns from: where in the day, the week and the year, and how late in all."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from mmtrain.modality.scaling import Standard

DAY = np.timedelta64(1, "D")
MONDAY = np.datetime64("2001-01-01")  # any would do


@dataclass(frozen=True)
class Calendar:
    """Four numbers for the weekday and the day of the year, each a sine and a cosine, so that Sunday is near Monday; two for the time
    of day, `clock`, where train has any but midnight; the last for the running time in days, `days`, with mean 0 and deviation 1 over
    train. It goes on where train ends, further and further, as the ranks of a `Quantile` would not.
    """

    clock: bool
    days: Standard

    @classmethod
    def fit(cls, times: np.ndarray) -> "Calendar":
        """From the train values (n,) datetime64, none of them missing."""
        return cls(bool((times != times.astype("M8[D]")).any()), Standard.fit(_running(times)))

    @classmethod
    def restore(cls, state: Any) -> "Calendar":
        """From what `state` gave."""
        return cls(state["clock"], Standard.restore(state["days"]))

    def state(self) -> Any:
        """Whether there are times of day, and mean and deviation of the days since 1970."""
        return {"clock": self.clock, "days": self.days.state()}

    @property
    def width(self) -> int:
        """How many numbers a date becomes."""
        return 7 if self.clock else 5

    def scale(self, times: np.ndarray) -> np.ndarray:
        """The numbers of each date, (n, width)."""
        day, year = times.astype("M8[D]"), times.astype("M8[Y]")
        turns = [(day - MONDAY) / DAY % 7 / 7, (day - year) / DAY / (((year + 1).astype("M8[D]") - year) / DAY)]
        if self.clock:
            turns.append((times - day) / DAY)
        angles = 2 * np.pi * np.stack(turns)
        return np.stack([*np.sin(angles), *np.cos(angles), self.days.scale(_running(times))], 1)


def _running(times: np.ndarray) -> np.ndarray:
    """Days since 1970, (n,)."""
    return (times - np.datetime64(0, "D")) / DAY
