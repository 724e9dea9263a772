"""Which rows have labels of which tasks."""

import numpy as np
import pytest


@pytest.fixture
def labelled() -> dict[str, np.ndarray]:
    """A table a task: 80 rows of `large`, 20 of `small`."""
    rows = np.arange(100)
    return {"large": rows < 80, "small": rows >= 80}


@pytest.fixture
def gaps() -> dict[str, np.ndarray]:
    """One table: 60 rows of `a`, 30 of `b` (of which 10 of both), and 20 without a label."""
    rows = np.arange(100)
    return {"a": rows < 60, "b": (rows >= 50) & (rows < 80)}
