"""Small tables, as a source gives them."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import polars as pl
import pytest

from mmtrain.table import Table


@pytest.fixture
def table() -> Callable[..., Table]:
    """A table of one column `label`; rows are numbered from 1."""

    def make(cells: Sequence[Any], decimal: str = ".") -> Table:
        kind = pl.String if all(cell is None or isinstance(cell, str) for cell in cells) else None
        return Table(pl.DataFrame({"label": pl.Series(cells, dtype=kind)}), "rows.csv", np.arange(1, len(cells) + 1), decimal=decimal)

    return make
