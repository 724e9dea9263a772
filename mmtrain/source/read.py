"""One file of rows: CSV, TSV, JSON lines or Parquet in, a `Table` out."""

import codecs
import io
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import numpy as np
import polars as pl

from mmtrain.errors import DataError, Problem, nearest
from mmtrain.format import JSON_LINES, PARQUET, separator_of
from mmtrain.source.delimited import parse
from mmtrain.table import Table, number_text

CATEGORIES = (pl.Categorical, pl.Enum)


@dataclass(frozen=True)
class Format:
    """How the cells of a file are written. `separator` None follows from the file's suffix."""

    missing_values: Sequence[str] = ()
    encoding: str = "utf-8"
    separator: str | None = None
    decimal: str = "."


def read_table(path: Path, form: Format, *, file: str | None = None, root: Path | None = None) -> Table:
    """Read every row of `path`; messages call it `file`, and relative paths in its cells start at `root`, else at its folder.

    Cells of CSV and TSV stay the user's own text. JSON lines and Parquet keep their types, but a category of Parquet is its
    text, an array of words a list, and a duration the number of its seconds. A cell that is empty, NaN or one of the missing
    values is null; -999 is that of -999.0 too. Column names are NFC-normalised.

    Raises:
        DataError: the file is missing, unreadable, malformed, in another encoding, or has no rows.
    """
    file = file or str(path)
    try:
        frame, numbers = _frame(path, form, file)
    except OSError as error:
        raise DataError(_unreadable(path, file, error)) from error
    if not frame.height:
        raise DataError(Problem(file, "holds no rows", "give a file with at least one row below the header"))
    return as_table(frame, form, file, numbers, path.parent if root is None else root)


def as_table(frame: pl.DataFrame, form: Format, file: str, numbers: np.ndarray, root: Path | None) -> Table:
    """The table of a frame whose cells are still as they were written."""
    frame = frame.rename(lambda name: unicodedata.normalize("NFC", name))
    for column in _emptied(frame, form):  # one by one: all together would stand in memory twice
        frame = frame.with_columns(column)
    return Table(frame, file, numbers, root, form.decimal)


def row_ids(table: Table, column: str | None) -> list[str]:
    """A name for every row: the cells of the id column, else the row's number.

    Raises:
        DataError: no such column, a row without an id, or an id that two rows share (both are named).
    """
    if column is None:
        return [str(number) for number in table.numbers]
    if column not in table.frame.columns:
        raise DataError(Problem("data.id", f"{table.file} has no column '{column}'", nearest(column, table.frame.columns)))
    rows: dict[str | None, list[int]] = defaultdict(list)
    ids = table.text(column)
    for number, name in zip(table.numbers.tolist(), ids, strict=True):
        rows[name].append(number)
    where = f"{table.file}, column '{column}'"
    problems = [Problem(where, f"no id in row {number}", "give every row one") for number in rows.pop(None, [])]
    problems += [
        Problem(where, f"id '{name}' stands in {_rows(numbers)}", "give every row its own, or leave data.id out")
        for name, numbers in rows.items()
        if len(numbers) > 1
    ]
    if problems:
        raise DataError(*problems[:10])
    return [name for name in ids if name is not None]


def _rows(numbers: list[int]) -> str:
    more = f" and {len(numbers) - 2} more" if len(numbers) > 2 else ""
    return f"rows {numbers[0]} and {numbers[1]}{more}"


def _frame(path: Path, form: Format, file: str) -> tuple[pl.DataFrame, np.ndarray]:
    suffix = path.suffix.lower()
    try:
        if suffix in PARQUET:
            frame = pl.read_parquet(path)
        elif suffix in JSON_LINES:
            frame = _json_lines(path, form, file)
        else:
            path.open("rb").close()  # a file that is not there is told before its suffix
            separator = separator_of(suffix, form.separator, file)
            return parse(_utf8(path, form, file), file, separator)
    except pl.exceptions.PolarsError as error:
        raise DataError(_broken(file, error)) from error
    return frame, np.arange(1, frame.height + 1)


def _json_lines(path: Path, form: Format, file: str) -> pl.DataFrame:
    return pl.read_ndjson(io.BytesIO(_utf8(path, form, file)), infer_schema_length=None)


def _utf8(path: Path, form: Format, file: str) -> bytes:
    """The file's text as UTF-8 without a byte-order mark."""
    content = path.read_bytes()
    if not content:
        raise DataError(Problem(file, "is empty", "give a file with a header and rows"))
    try:
        text = content.decode(form.encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        found = f"line {line} is not {form.encoding} (byte 0x{content[error.start]:02x})"
        raise DataError(Problem(file, found, "set data.encoding to the file's own, for example cp1252 or utf-16")) from error
    if codecs.lookup(form.encoding).name != "utf-8":
        content = text.encode()
    return content.removeprefix(codecs.BOM_UTF8)


def _emptied(frame: pl.DataFrame, form: Format) -> list[pl.Expr]:
    """Expressions that put null in place of an empty cell, of NaN, and of every missing value."""
    missing = ["", *form.missing_values]
    columns = []
    for name, stored in frame.schema.items():
        column, kind = _plain(pl.col(name), stored)
        if kind.is_float():
            column = column.fill_nan(None)
            if form.missing_values:
                column = pl.when(~number_text(column).is_in([word.removesuffix(".0") for word in missing])).then(column)
        elif kind == pl.String or (kind.is_numeric() and form.missing_values):
            column = pl.when(~column.cast(pl.String).is_in(missing)).then(column)
        columns.append(column.alias(name))
    return columns


def _plain(column: pl.Expr, kind: pl.DataType) -> tuple[pl.Expr, pl.DataType]:
    """The column in a type that everything knows, and that type."""
    if kind in CATEGORIES:
        return column.cast(pl.String), pl.String()
    if isinstance(kind, pl.List | pl.Array) and kind.inner in (pl.String, *CATEGORIES):
        return column.cast(pl.List(pl.String)), pl.List(pl.String)
    if kind == pl.Duration:
        microseconds = column.dt.total_microseconds()
        return microseconds // 10**6 + microseconds % 10**6 / 1e6, pl.Float64()  # whole seconds come out whole
    return column, kind


def _unreadable(path: Path, file: str, error: OSError) -> Problem:
    if not isinstance(error, FileNotFoundError):
        return Problem(file, f"cannot be read: {error.strerror}")
    if not path.parent.is_dir():
        return Problem(file, f"there is no folder '{path.parent}'", "check data.root")
    close = get_close_matches(path.name, [item.name for item in path.parent.iterdir()], n=1)
    guess = f"did you mean '{close[0]}'?" if close else "check data.root and the file's name"
    return Problem(file, f"there is no such file in '{path.parent}'", guess)


def _broken(file: str, error: Exception) -> Problem:
    return Problem(file, f"cannot be parsed: {str(error).splitlines()[0]}")
