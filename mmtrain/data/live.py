"""Rows decoded when they are asked for: a modality whose store would be too large for the disk.

Only what is read from files can be so large: other cells are in memory anyway, and their store takes about as much.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np

from mmtrain.data.encode import encode_chunks
from mmtrain.data.settings import Settings
from mmtrain.data.store import SHOWN, Rows, Store, gather, refuse_bad
from mmtrain.errors import Problem
from mmtrain.modality import Modality
from mmtrain.modality.cell import UnreadableError, encoded_file, filled_cells
from mmtrain.modality.numbers import numbers_in
from mmtrain.table import Table

GIB = 2**30
SAMPLE = 256  # rows that are decoded to estimate the size of a store


@dataclass(frozen=True)
class Live:
    """What a `Store` is to a data set, of a modality that has none.

    `present` (n,) trusts every file that exists and is not empty; `bad` and `problems` are of the others. What a file holds is
    found out when its row is read. `size` is about what a store would take, in bytes.
    """

    modality: Modality
    table: Table
    settings: Settings
    size: int
    present: np.ndarray
    bad: int
    problems: tuple[Problem, ...]
    folder: ClassVar[Path | None] = None

    def __len__(self) -> int:
        return len(self.present)

    @property
    def why(self) -> str:
        """What the user should know of it."""
        size, limit = f"{self.size / GIB:,.2f} GiB", f"data.cache_limit_gb={self.settings.cache_limit_gb:g}"
        return f"decoded on the fly, as a store would take about {size} ({limit}); a broken file is found only when its row is read"

    def at(self, rows: np.ndarray) -> Rows:
        """The rows at these positions, decoded now, exactly as a store would hold them; also whether each has the modality.

        Raises:
            DataError: one of the cells cannot be read and `settings.on_bad` is `error`; if `absent`, its row lacks the modality.
        """
        decoded = _decoded(self.modality, self.table.take(rows))
        refuse_bad(decoded.bad, decoded.problems, self.settings)
        return decoded.at(np.arange(len(rows)))


def open_live(modality: Modality, table: Table, settings: Settings) -> Live | None:
    """Rows to be decoded on the fly, if their store would exceed `settings.cache_limit_gb`.

    Raises:
        DataError: a cell names a file that does not exist or is empty, and `settings.on_bad` is `error`.
    """
    if settings.cache_limit_gb is None or not modality.files or any(table.frame[name].dtype.is_nested() for name in modality.columns):
        return None
    size = estimated_size(modality, table)
    if size <= settings.cache_limit_gb * GIB:
        return None
    table = replace(table, bad=[])
    present = _present(modality, table)
    live = Live(modality, table, settings, size, present, len(table.bad), tuple(table.bad[:SHOWN]))
    refuse_bad(live.bad, live.problems, settings)
    return live


def estimated_size(modality: Modality, table: Table) -> int:
    """About how many bytes a store would take: as many a row as some rows do that are evenly spaced over the table."""
    rows = np.linspace(0, len(table) - 1, min(len(table), SAMPLE)).round().astype(np.int64)
    sample = _decoded(modality, table.take(rows))
    return sum(array.values.nbytes for array in sample.arrays.values()) * len(table) // len(rows)


def _decoded(modality: Modality, table: Table) -> Store:
    return gather(encode_chunks(modality, table, lambda _: None))


def _present(modality: Modality, table: Table) -> np.ndarray:
    """Which rows have a file, (n,) bool; a file that is missing or empty is rejected."""
    present = np.zeros(len(table), bool)
    for column in modality.columns:
        for row, cell in filled_cells(table, column):
            holds_numbers = isinstance(cell, str) and numbers_in(cell, table.decimal) is not None
            try:
                present[row] = holds_numbers or encoded_file(table, cell) is not None
            except UnreadableError as error:
                table.reject(row, column, str(error))
    return present
