"""A table of cells, as a source gives it: one row a sample, one column a cell, null where the cell is empty."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import polars as pl

from mmtrain.errors import Problem


@dataclass(frozen=True)
class Table:
    """Rows of one file.

    `frame` holds the cells, null where empty or listed in `data.missing_values`. `file` is the file as the user named it and
    stands in every message. `numbers` are the rows' numbers in that file, counted from 1 without the header. Relative
    paths in cells start at `root`. `bad` gathers the cells that could not be read; who asked decides what they cost.
    """

    frame: pl.DataFrame
    file: str
    numbers: np.ndarray
    root: Path | None = None
    bad: list[Problem] = field(default_factory=list, compare=False)

    def __len__(self) -> int:
        return self.frame.height

    def take(self, rows: np.ndarray | slice) -> "Table":
        """The rows at these positions; cells found bad there are reported to this table."""
        return replace(self, frame=self.frame[rows], numbers=self.numbers[rows])

    def text(self, column: str) -> list[str | None]:
        """The cells as the user's own text, NFC-normalised; None where missing. Numbers from typed files become text."""
        cells: Sequence[str | None] = self.frame[column].cast(pl.String).to_list()
        return [None if cell is None else unicodedata.normalize("NFC", cell) for cell in cells]

    def path(self, cell: str) -> Path:
        """The file that a cell names: relative paths start at `root`, and either slash separates folders."""
        path = Path(cell.replace("\\", "/"))
        return path if path.is_absolute() or self.root is None else self.root / path

    def reject(self, row: int, column: str, found: str) -> None:
        """Note that the cell at this position cannot be read."""
        self.bad.append(Problem(f"{self.file}, row {self.numbers[row]}, column '{column}'", found))
