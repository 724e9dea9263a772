import json
import math
from datetime import datetime, timedelta

import numpy as np
import pytest
from numpy.testing import assert_allclose

from mmtrain.modality.calendar import Calendar


def turns(times: list[datetime], *, clock: bool) -> np.ndarray:
    """With Python's own calendar: weekday, day of the year and time of day as shares of a turn."""
    shares = []
    for time in times:
        year = timedelta(days=366 if time.year % 4 == 0 and (time.year % 100 or time.year % 400 == 0) else 365)
        midnight = datetime(time.year, time.month, time.day)
        share = [time.weekday() / 7, (midnight - datetime(time.year, 1, 1)) / year, (time - midnight) / timedelta(days=1)]
        shares.append(share[: 3 if clock else 2])
    return np.array(shares)


@pytest.mark.parametrize("clock", [True, False])
def test_a_date_is_where_it_stands_in_day_week_and_year(clock: bool) -> None:
    draw = np.random.default_rng(0)
    times = [datetime(1890, 1, 1) + timedelta(days=int(draw.integers(80000)), hours=int(draw.integers(24)) * clock) for _ in range(300)]
    calendar = Calendar.fit(np.array(times, "M8[us]"))
    found = calendar.scale(np.array(times, "M8[us]"))
    angles = 2 * math.pi * turns(times, clock=clock)
    assert calendar.width == found.shape[1] == (7 if clock else 5)
    assert_allclose(found[:, :-1], np.concatenate([np.sin(angles), np.cos(angles)], 1), atol=1e-9)
    seconds = np.array([(time - datetime(2000, 1, 1)).total_seconds() for time in times])
    assert_allclose(found[:, -1], (seconds - seconds.mean()) / seconds.std(), atol=1e-9)


def test_time_goes_on_where_train_ends() -> None:
    calendar = Calendar.fit(np.array(["2024-01-01", "2024-01-03"], "M8[us]"))  # mean 2024-01-02, deviation one day
    assert calendar.scale(np.array(["2024-01-12", "2023-12-31"], "M8[us]"))[:, -1].tolist() == [10, -2]


def test_only_midnight_in_train_is_no_clock() -> None:
    calendar = Calendar.fit(np.array(["2024-01-01", "2024-01-03"], "M8[us]"))
    assert not calendar.clock
    whole, noon = calendar.scale(np.array(["2024-01-01", "2024-01-01T12:00"], "M8[us]"))
    assert whole[:4].tolist() == noon[:4].tolist()


def test_no_date_in_train() -> None:
    calendar = Calendar.fit(np.array([], "M8[us]"))
    assert calendar.width == 5
    assert calendar.scale(np.array(["2024-01-01"], "M8[us]"))[0, -1] == 0
    assert Calendar.restore(json.loads(json.dumps(calendar.state()))) == calendar
