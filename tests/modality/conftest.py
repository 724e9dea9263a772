"""Tables of cells, and what the store makes of encoded rows."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from mmtrain.data.encode import Chunk
from mmtrain.data.store import gather
from mmtrain.modality import Modality
from mmtrain.table import Table


@pytest.fixture
def table(tmp_path: Path) -> Callable[..., Table]:
    """Builds a table of the given columns, called `rows.csv`, whose relative paths start at the test's own folder."""

    def build(**columns: list[Any] | pl.Series) -> Table:
        frame = pl.DataFrame(columns, strict=False)
        return Table(frame, "rows.csv", np.arange(1, len(frame) + 1), tmp_path)

    return build


@pytest.fixture
def inputs() -> Callable[[Modality, Table], Any]:
    """Takes all rows of a table through store and modality: what the encoder would get."""

    def through(modality: Modality, rows: Table) -> Any:
        arrays, present = modality.encode(rows)
        store = gather([Chunk(arrays, present, [])])
        return modality(modality.collate(store.arrays, np.arange(len(rows))))

    return through
