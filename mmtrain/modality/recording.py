"""One series as it was recorded: channels over steps, from a file or from a cell."""

import csv
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

import numpy as np
import polars as pl
from jaxtyping import Float64

from mmtrain.format import SEPARATORS
from mmtrain.modality.cell import UnreadableError, describe
from mmtrain.modality.numbers import MAGIC, MISSING, Cell, content, npy_array, numbers_in
from mmtrain.table import Table

NULLS = sorted({form for word in MISSING for form in (word, word.upper(), word.capitalize())} | {"NaN"})


@dataclass(frozen=True)
class Recording:
    """Values (T, N), NaN where not known; channels that nothing names are called "1", "2", ... and the series is not `headed`.
    `source` is what a message calls it."""

    values: Float64[np.ndarray, "T N"]
    names: list[str]
    headed: bool
    source: str


@dataclass(frozen=True)
class Layout:
    """The channels that are read, in this order; `width` is how many a series without a header has to have, if train showed one."""

    channels: list[str]
    width: int | None


def read(table: Table, cell: Cell, separator: str | None, wanted: Sequence[str] | None = None) -> Recording:
    """Read a cell; of a file with a header the `wanted` columns that it has, or all columns of numbers.

    Raises `UnreadableError` where it holds no series of finite numbers.
    """
    values = numbers_in(cell, table.decimal)
    if values is None:
        assert isinstance(cell, str | bytes)
        encoded, name = content(table, cell), describe(cell)
        if not encoded.startswith(MAGIC):
            return _delimited(encoded, name, separator or _usual_separator(cell), table.decimal, wanted)
        values = npy_array(encoded, name)
    else:
        name = "the series in the cell"
    if values.ndim not in (1, 2):
        raise UnreadableError(f"{name} has {values.ndim} dimensions, where a series has one or two: steps, and channels")
    values = values[:, None] if values.ndim == 1 else values
    if np.isinf(values).any():
        raise UnreadableError(f"{name} holds values that are not finite numbers")
    return Recording(values, _numbered(values.shape[1]), headed=False, source=name)


def common_layout(recordings: Sequence[Recording]) -> Layout:
    """What most of the recordings have: the columns of numbers in more than half of those with a header, in the order of the first
    that has them all, or as many channels as most of those without have."""
    widths = Counter(len(recording.names) for recording in recordings if not recording.headed)
    headed = [recording.names for recording in recordings if recording.headed]
    width = widths.most_common(1)[0][0] if widths else None
    if width is not None and 2 * len(headed) <= len(recordings):
        return Layout(_numbered(width), width)
    counts = Counter(name for names in headed for name in names)
    return Layout([name for name, count in counts.items() if 2 * count > len(headed)], width)


def select(recording: Recording, layout: Layout) -> Float64[np.ndarray, "T N"]:
    """The values of the channels, NaN where the recording lacks one.

    Raises `UnreadableError` where it has none of them, holds no number in them, or has another number of nameless channels.
    """
    source, names = recording.source, layout.channels
    if not recording.headed and layout.width is not None and len(recording.names) != layout.width:
        raise UnreadableError(f"{source} has {len(recording.names)} channels, where those of train have {layout.width}")
    if not set(names) & set(recording.names):
        raise UnreadableError(f"{source} has none of the channels {', '.join(names)}; it has {', '.join(recording.names) or 'none'}")
    chosen = np.full((len(recording.values), len(names)), np.nan)
    for place, name in enumerate(names):
        if name in recording.names:
            chosen[:, place] = recording.values[:, recording.names.index(name)]
    if np.isnan(chosen).all():
        raise UnreadableError(f"{source} holds no number")
    return chosen


def _numbered(count: int) -> list[str]:
    return [str(number) for number in range(1, count + 1)]


def _usual_separator(cell: str | bytes) -> str:
    """By the suffix, as for tables; a file within a cell has commas."""
    if isinstance(cell, bytes):
        return ","
    separator = SEPARATORS.get(PurePath(cell.replace("\\", "/")).suffix.lower())
    if separator is None:
        known = ", ".join(suffix for suffix, usual in SEPARATORS.items() if usual)
        raise UnreadableError(f"'{cell}' is neither .npy nor {known}: what separates its columns has to be told (`separator`)")
    return separator


def _delimited(encoded: bytes, name: str, separator: str, decimal: str, wanted: Sequence[str] | None) -> Recording:
    lines = _lines(encoded, name, separator)
    names = [unicodedata.normalize("NFC", word.strip()) for word in next(csv.reader(lines[:1], delimiter=separator), [])]
    headed = any(word.lower() not in MISSING and numbers_in(word, decimal) is None for word in names)
    body = lines[headed:]
    for number, line in enumerate(body, 1):
        cells = line.count(separator) + 1
        if cells != len(names) and '"' not in line:
            raise UnreadableError(f"{name}, row {number}: {cells} cells where its first line has {len(names)}")
    if not headed:
        names = _numbered(len(names))
    if len(set(names)) < len(names):
        raise UnreadableError(f"{name} has two columns of one name: {', '.join(names)}")
    if not body:
        raise UnreadableError(f"{name} holds no steps")
    return _columns(_frame(body, names, name, separator), name, decimal, wanted if headed else names, headed)


def _lines(encoded: bytes, name: str, separator: str) -> list[str]:
    """The lines that hold something; separated by a blank means by any number of blanks."""
    try:
        text = encoded.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableError(f"{name} is no UTF-8 text (byte 0x{encoded[error.start]:02x})") from None
    lines = re.split(r"\r\n|\r|\n", text.strip("\r\n"))
    if separator == " ":
        return [" ".join(line.split()) for line in lines if line.strip()]
    return [line for line in lines if line.strip() or separator not in lines[0]]  # of a single channel, an empty line is a missing value


def _frame(body: list[str], names: list[str], name: str, separator: str) -> pl.DataFrame:
    try:
        return pl.read_csv(
            "\n".join(body).encode(), has_header=False, new_columns=names, separator=separator, infer_schema=False, null_values=NULLS
        )
    except pl.exceptions.PolarsError as error:
        raise UnreadableError(f"{name} cannot be parsed: {str(error).splitlines()[0]}") from None


def _columns(frame: pl.DataFrame, name: str, decimal: str, wanted: Sequence[str] | None, headed: bool) -> Recording:
    """The wanted columns, which must be of numbers; where nothing is wanted, those that have a name and hold nothing but numbers."""
    table = Table(frame, name, np.arange(1, len(frame) + 1), decimal=decimal)
    columns = {}
    for column in frame.columns:
        if wanted is not None and column not in wanted:
            continue
        values = table.floats(column)
        if table.bad and wanted is not None:
            raise UnreadableError(f"{table.bad[0].where}: {table.bad[0].found}")
        if wanted is not None or (column and not table.bad and np.isfinite(values).any()):
            columns[column] = values
        table.bad.clear()
    values = np.stack(list(columns.values()), 1) if columns else np.zeros((len(frame), 0))
    return Recording(values, list(columns), headed, name)
