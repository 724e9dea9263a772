"""A table of cells, as a source gives it: one row a sample, one column a cell, null where the cell is empty."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import polars as pl

from mmtrain.errors import DataError, Problem

ISO = r"^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(?:Z|[+-]\d\d(?::?\d\d)?)?)?$"  # the day, and the time without its zone

Cells = TypeVar("Cells", pl.Series, pl.Expr)
UNREADABLE = (pl.Binary, pl.Object, pl.Duration)  # types whose cells are neither text nor numbers nor dates, as are all nested ones


@dataclass(frozen=True)
class Table:
    """Rows of one file, or of several.

    `frame` holds the cells, null where empty or listed in `data.missing_values`. `file` is the file as the user named it and
    stands in every message. `numbers` are the rows' numbers in that file, counted from 1 without the header. Relative
    paths in cells start at `root`. `decimal` is the point of numbers written as text. `bad` gathers the cells that could
    not be read; who asked decides what they cost. `files` names each row's own file where there are several.
    """

    frame: pl.DataFrame
    file: str
    numbers: np.ndarray
    root: Path | None = None
    decimal: str = "."
    bad: list[Problem] = field(default_factory=list, compare=False)
    files: np.ndarray | None = None

    def __len__(self) -> int:
        return self.frame.height

    def take(self, rows: np.ndarray | slice) -> "Table":
        """The rows at these positions; cells found bad there are reported to this table."""
        files = None if self.files is None else self.files[rows]
        return replace(self, frame=self._frame_of(rows), numbers=self.numbers[rows], files=files)

    def place(self, row: int) -> str:
        """The row at this position, as messages name it."""
        return f"{self.file if self.files is None else self.files[row]}, row {self.numbers[row]}"

    def _frame_of(self, rows: np.ndarray | slice) -> pl.DataFrame:
        if isinstance(rows, slice) or 2 * len(rows) < len(self) or not (np.diff(rows) > 0).all():
            return self.frame[rows]
        kept = np.zeros(len(self), bool)
        kept[rows] = True
        return self.frame.filter(kept)  # of most rows in their order: half the memory that picking them one by one takes

    def text(self, column: str) -> list[str | None]:
        """The cells as the user's own text, NFC-normalised; None where missing.

        Cells of typed files become text: `true` and `false`, as JSON writes them, days and times as ISO does, and numbers as
        `number_text` says.

        Raises:
            DataError: the column holds lists, structures or bytes.
        """
        cells = self._cells(column, "text")
        words: Sequence[str | None] = (number_text(cells) if cells.dtype.is_float() else cells.cast(pl.String)).to_list()
        return [None if word is None else unicodedata.normalize("NFC", word) for word in words]

    def floats(self, column: str) -> np.ndarray:
        """The cells as (n,) float64, NaN where missing; a cell that is no finite number is rejected, and NaN there too.

        Raises:
            DataError: the column holds lists, structures or bytes.
        """
        cells = self._cells(column, "numbers")
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

    def times(self, column: str, form: str | None = None) -> np.ndarray:
        """The cells as (n,) datetime64 in microseconds, NaT where missing; a cell that is no date is rejected, and NaT there too.

        Text is a date or a date with a time, as ISO writes them or in this `form` (as `strptime` writes it). A time is what the clock
        on the wall shows: what it is off Greenwich is left away.

        Raises:
            DataError: the column holds lists, structures or bytes.
        """
        cells = self._cells(column, "dates")
        if isinstance(cells.dtype, pl.Datetime):
            times = cells.dt.replace_time_zone(None)
        else:
            times = cells if cells.dtype == pl.Date else parse_times(cells.cast(pl.String), form)
        for row in (times.is_null() & cells.is_not_null()).arg_true().to_list():
            allowed = "YYYY-MM-DD or YYYY-MM-DD hh:mm:ss; date_format may name another form" if form is None else f"the form '{form}'"
            self.reject(row, column, f"found '{self.frame[column][row]}', which is no date in {allowed}")
        return times.to_numpy().astype("M8[us]")

    def _cells(self, column: str, wanted: str) -> pl.Series:
        """The column, if its type is one whose cells can be read as what is wanted."""
        cells = self.frame[column]
        if cells.dtype.is_nested() or cells.dtype in UNREADABLE:
            found = f"its cells are of type {cells.dtype}, which cannot be read as {wanted}"
            raise DataError(Problem(f"{self.file}, column '{column}'", found, "name another column, or write this one otherwise"))
        return cells

    def path(self, cell: str) -> Path:
        """The file that a cell names: relative paths start at `root`, and either slash separates folders."""
        path = Path(cell.replace("\\", "/"))
        return path if path.is_absolute() or self.root is None else self.root / path

    def reject(self, row: int, column: str, found: str) -> None:
        """Note that the cell at this position cannot be read."""
        self.bad.append(Problem(f"{self.place(row)}, column '{column}'", found))


def number_text(cells: Cells) -> Cells:
    """Floats as text: a whole one is written as an integer, 1 for 1.0: many writers store integers as floats if one is missing."""
    return cells.cast(pl.String).str.strip_suffix(".0").replace("-0", "0")


def parse_times(text: pl.Series, form: str | None) -> pl.Series:
    """Dates and times without a zone, null where a cell is none in this form (None: ISO).

    Raises:
        polars.exceptions.PolarsError: the form cannot be one of a date.
    """
    text = text.str.strip_chars()
    if form is not None:
        return text.str.strptime(pl.Datetime("us"), form, strict=False)
    text = text.str.extract(ISO, 1) + "T" + text.str.extract(ISO, 2).fill_null("00:00")
    minutes, seconds = (text.str.strptime(pl.Datetime("us"), known, strict=False) for known in ("%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S%.f"))
    return minutes.fill_null(seconds)
