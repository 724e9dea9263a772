"""What a column holds, guessed from its name and cells."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl

from mmtrain.guess.files import Found, content_of, files_of
from mmtrain.source import TEST, TRAIN, VAL
from mmtrain.table import Table

SAMPLE = 200  # different cells that are looked at where looking at all would take long
FEW_NUMBERS = 32  # so many different whole numbers, or fewer, are names rather than amounts
REPEATED = 10  # rows a value, from which on values are categories whatever they look like
SOME_VALUES, SOME_ROWS = 100, 4  # so many values are categories with so many rows each, too
LONG = 20  # letters of a cell without blanks that is text, in scripts that write none
NULLS = ["na", "n/a", "nan", "null", "?", "#n/a"]  # how some write a missing number
WORDS = ["none", "-", "missing", "unknown"]  # so too, but among numbers that recur they may well be one of the values
ID_NAME = re.compile(r"(^|[\W_])(id|uuid|guid|key|index|idx|row)$|^(id|index|idx|uuid|row)[\W_]|^Unnamed: 0$", re.IGNORECASE)
UNSPEAKABLE = re.compile(r"^(\?\?\?)?$|\\\$\{")  # for OmegaConf these mean something else
CAMEL_ID = re.compile(r"[a-z]I[dD]$")


@dataclass(frozen=True)
class Guess:
    """A column, its kind, and what was seen.

    Kinds: those of the modalities, and `number`, `category`, `date`, `id` (a name of its own in every row), `group` (names that
    several rows share), `split`, and `nothing` (no use could be found). `different` counts the values, `options` suit the
    modality; for `nulls` and `absent` see `Found`.
    """

    name: str
    kind: str
    seen: str
    different: int
    options: dict[str, Any] = field(default_factory=dict)
    nulls: frozenset[str] = frozenset()
    absent: bool = False


def look(table: Table, column: str) -> Guess:
    """Guess what the column holds."""
    cells = table.frame[column]
    filled = cells.drop_nulls()
    if UNSPEAKABLE.search(column):
        return Guess(column, "nothing", "YAML cannot name such a column; rename it", 0)
    empty = f", {cells.null_count() / len(cells):.1%} empty" if cells.null_count() else ""
    if filled.is_empty():
        return Guess(column, "nothing", "all cells are empty", 0)
    if filled.dtype.is_nested() or filled.dtype == pl.Binary:
        return _special(column, filled, empty)
    values = filled.unique(maintain_order=True)
    counted = f"{len(values):,} different values{empty}"
    if len(values) == 1:
        return Guess(column, "nothing", f"all cells are '{_short(str(values[0]))}'{empty}", 1)
    for test in (_splits, _paths, _names, _lists, _numbers, _dates):
        found = test(table, column, filled, values)
        if found is not None:
            break
    else:
        found = _words(filled, values)
    seen = f"{found.seen}; {counted}" if found.seen else counted
    return Guess(column, found.kind, seen, len(values), found.options, found.nulls, found.absent)


def _special(column: str, filled: pl.Series, empty: str) -> Guess:
    """Cells of Parquet or JSON lines that are files, lists or structures."""
    found: Found | None = None
    if filled.dtype == pl.Binary:
        found = content_of(filled.head(SAMPLE).to_list())
    elif isinstance(filled.dtype, pl.List | pl.Array):
        inner = filled.dtype.inner
        lengths = filled.cast(pl.List(inner)).list.len().to_numpy()
        if inner.is_nested() or (inner.is_numeric() and np.ptp(lengths) > 0):
            found = Found("series", f"lists of numbers, {lengths.min()} to {lengths.max()} long")
        elif inner.is_numeric():
            found = Found("vector", f"lists of {lengths[0]} numbers")
        elif inner == pl.String:
            found = Found("text", "lists of words")
    if found is None:
        return Guess(column, "nothing", f"cells of a kind that no modality reads ({filled.dtype}){empty}", 0)
    return Guess(column, found.kind, f"{found.seen}{empty}", len(filled), found.options)


def _splits(table: Table, column: str, filled: pl.Series, values: pl.Series) -> Found | None:
    names = {str(value) for value in values}
    if len(filled) < len(table) or not names <= {TRAIN, VAL, TEST}:
        return None
    if not names >= {TRAIN, VAL}:
        return Found("nothing", f"says {' or '.join(sorted(names))}, but a column of splits needs train and val")
    return Found("split")


def _paths(table: Table, column: str, filled: pl.Series, values: pl.Series) -> Found | None:
    if values.dtype != pl.String:
        return None
    return files_of(table, _sample(values))


def _names(table: Table, column: str, filled: pl.Series, values: pl.Series) -> Found | None:
    """An id, or what several rows have in common."""
    named = bool(ID_NAME.search(column) or CAMEL_ID.search(column))
    counting = values.dtype.is_integer() or (values.dtype == pl.String and values.head(SAMPLE).str.contains(r"^\d+$").all())
    if len(values) == len(table) and counting and values.cast(pl.Int64, strict=False).diff().drop_nulls().eq(1).all():
        return Found("id" if named else "nothing", "numbers of the rows")
    if not named or values.dtype.is_float():
        return None
    if len(values) == len(table):
        return Found("id", "every row has its own")
    return Found("group", "ids that rows share") if len(values) > FEW_NUMBERS else None


def _lists(table: Table, column: str, filled: pl.Series, values: pl.Series) -> Found | None:
    """Text of several numbers."""
    sample = _sample(values) if values.dtype == pl.String else []
    suspects = [cell for cell in sample if re.fullmatch(r"\s*\[?[\s\d.,;eE+-]+\]?\s*", cell) and len(re.findall(r"\d[.\deE+-]*", cell)) > 3]
    if not sample or len(suspects) < len(sample):
        return None
    from mmtrain.modality.numbers import numbers_in  # with torch, which no other column needs

    found = [numbers_in(cell, table.decimal) for cell in sample]
    lengths = {len(numbers) for numbers in found if numbers is not None}
    if any(numbers is None for numbers in found):
        return None
    return (
        Found("vector", f"{max(lengths)} numbers each")
        if len(lengths) == 1
        else Found("series", f"{min(lengths)} to {max(lengths)} numbers")
    )


def _numbers(table: Table, column: str, filled: pl.Series, values: pl.Series) -> Found | None:
    if values.dtype == pl.Boolean:
        return Found("category")
    if values.dtype != pl.String and not values.dtype.is_numeric():
        return None
    text = values.cast(pl.String).str.strip_chars()
    null = text.str.to_lowercase().is_in([*NULLS, *WORDS])
    kept = text.filter(~null)
    pointed = kept if table.decimal == "." else kept.str.replace(table.decimal, ".", literal=True)
    numbers = pointed.cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy()
    if len(kept) < 2 or not np.isfinite(numbers).all():
        return None
    nulls = frozenset(values.cast(pl.String).filter(null))
    if values.dtype == pl.String and kept.str.contains(r"^0\d").any():
        return Found("category" if _repeats(filled, values) else "nothing", "codes", nulls=nulls)
    recurs = len(numbers) == 2 or (len(numbers) <= FEW_NUMBERS and len(filled) >= SOME_ROWS * len(numbers))
    if recurs and (numbers == numbers.round()).all():
        return Found("category", "numbers that recur", nulls=frozenset(word for word in nulls if word.strip().lower() in NULLS))
    return Found("number", f"from {numbers.min():g} to {numbers.max():g}", nulls=nulls)


def _dates(table: Table, column: str, filled: pl.Series, values: pl.Series) -> Found | None:
    if values.dtype in (pl.Date, pl.Datetime):
        return Found("date")
    sample = _sample(values) if values.dtype == pl.String else []
    try:
        dates = [datetime.fromisoformat(cell.strip()) for cell in sample]
    except ValueError:
        return None
    return Found("date", f"{min(sample)} to {max(sample)}") if dates else None


def _words(filled: pl.Series, values: pl.Series) -> Found:
    """Text, categories, or words that say nothing because hardly any returns."""
    if _repeats(filled, values):
        return Found("category")
    sample = _sample(values.cast(pl.String))
    words = sum(len(cell.split()) for cell in sample) / len(sample)
    spaceless = sum(len(cell) >= LONG and not cell.isascii() for cell in sample) > len(sample) / 2
    if words >= 2 or spaceless:
        return Found("text", f"{words:.3g} words on average")
    return Found("category") if len(filled) >= 2 * len(values) else Found("nothing", "hardly any value returns")


def _repeats(filled: pl.Series, values: pl.Series) -> bool:
    return len(filled) >= REPEATED * len(values) or (len(values) <= SOME_VALUES and len(filled) >= SOME_ROWS * len(values))


def _sample(values: pl.Series) -> list[str]:
    return values.gather_every(-(-len(values) // SAMPLE)).to_list()


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"
