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
    paths in cells start at `root`. `decimal` is the point of numbers written as text. `bad` gathers the cells that could
    not be read; who asked decides what they cost.
    """

    frame: pl.DataFrame
    file: str
    numbers: np.ndarray
    root: Path | None = None
    decimal: str = "."
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

    def floats(self, column: str) -> np.ndarray:
        """The cells as (n,) float64, NaN where missing; a cell that is no finite number is rejected, and NaN there too."""
        cells = self.frame[column]
        if cells.dtype.is_float():
            cells = cells.fill_nan(None)  # many writers store so what is missing
        text = cells
        if cells.dtype == pl.String:
            text = cells.str.strip_chars()
            if self.decimal != ".":  # then "1.500" may well mean 1500: refuse it
                text = text.str.replace_all(".", "?", literal=True).str.replace(self.decimal, ".", literal=True)
        numbers = text.cast(pl.Float64, strict=False)
        numbers = numbers.set(~numbers.is_finite(), None)
        for row in (numbers.is_null() & cells.is_not_null()).arg_true().to_list():
            self.reject(row, column, f"found '{self.frame[column][row]}', which is no number")
        return numbers.to_numpy().astype(np.float64)

    def path(self, cell: str) -> Path:
        """The file that a cell names: relative paths start at `root`, and either slash separates folders."""
        path = Path(cell.replace("\\", "/"))
        return path if path.is_absolute() or self.root is None else self.root / path

    def reject(self, row: int, column: str, found: str) -> None:
        """Note that the cell at this position cannot be read."""
        self.bad.append(Problem(f"{self.file}, row {self.numbers[row]}, column '{column}'", found))
