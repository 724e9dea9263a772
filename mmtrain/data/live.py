"""Rows decoded when they are asked for: a modality whose store would be too large for the disk, or for memory.

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
MEMORY_GIB = 4.0  # of a store that is kept in memory, at most
SAMPLE = 32  # rows that are decoded to estimate the size of a store


@dataclass(frozen=True)
class Live:
    """What a `Store` is to a data set, of a modality that has none.

    `present` (n,) trusts every file that exists and is not empty; `bad` and `problems` are of the others. What a file holds is
    found out when its row is read. `size` is about what a store would take, in bytes, on the disk or `in_memory`.
    """

    modality: Modality
    table: Table
    settings: Settings
    size: int
    present: np.ndarray
    bad: int
    problems: tuple[Problem, ...]
    in_memory: bool = False
    folder: ClassVar[Path | None] = None

    def __len__(self) -> int:
        return len(self.present)

    @property
    def why(self) -> str:
        """What the user should know of it."""
        disk, size = self.settings.cache_limit_gb, f"{self.size / GIB:,.2f} GiB"
        kept = f"at most {MEMORY_GIB:g} GiB are kept in memory"
        limit = f"data.cache_limit_gb={disk:g}" if _most_gib(self.settings, in_memory=self.in_memory) == disk else kept
        return f"decoded on the fly, as a store would take about {size} ({limit}); a broken file is found only when its row is read"

    def at(self, rows: np.ndarray) -> Rows:
        """The rows at these positions, decoded now, exactly as a store would hold them; also whether each has the modality.

        Raises:
            DataError: one of the cells cannot be read and `settings.on_bad` is `error`; if `absent`, its row lacks the modality.
        """
        decoded = _decoded(self.modality, self.table.take(rows))
        refuse_bad(decoded.bad, decoded.problems, self.settings)
        return decoded.at(np.arange(len(rows)))


def open_live(modality: Modality, table: Table, settings: Settings, *, in_memory: bool = False) -> Live | None:
    """Rows to be decoded on the fly, if their store would exceed `settings.cache_limit_gb`, or `in_memory` 4 GiB.

    Raises:
        DataError: a cell names a file that does not exist or is empty, and `settings.on_bad` is `error`.
    """
    limit = _most_gib(settings, in_memory=in_memory)
    if limit is None or not modality.files or any(table.frame[name].dtype.is_nested() for name in modality.columns):
        return None
    most = getattr(modality, "most_bytes", None)
    if most is not None and most * len(table) <= limit * GIB:
        return None
    size = estimated_size(modality, table)
    if size <= limit * GIB:
        return None
    table = replace(table, bad=[])
    present = _present(modality, table)
    live = Live(modality, table, settings, size, present, len(table.bad), tuple(table.bad[:SHOWN]), in_memory)
    refuse_bad(live.bad, live.problems, settings)
    return live


def estimated_size(modality: Modality, table: Table) -> int:
    """About how many bytes a store would take: as many a row as some rows do that are evenly spaced over the table."""
    rows = np.linspace(0, len(table) - 1, min(len(table), SAMPLE)).round().astype(np.int64)
    sample = _decoded(modality, table.take(rows))
    return sum(array.values.nbytes for array in sample.arrays.values()) * len(table) // len(rows)


def _most_gib(settings: Settings, *, in_memory: bool) -> float | None:
    limits = [settings.cache_limit_gb, MEMORY_GIB if in_memory else None]
    return min((limit for limit in limits if limit is not None), default=None)


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
