"""How a table's file is written: its encoding, what separates its cells, and the point of its numbers."""

import csv
import re
from difflib import get_close_matches
from pathlib import Path

from mmtrain.errors import DataError, Problem
from mmtrain.format import SEPARATORS
from mmtrain.source import Format, read_table
from mmtrain.table import Table

CANDIDATES = (",", ";", "\t", "|")
ROWS = 1000  # whose numbers are looked at
LINES = 50  # at the beginning of a file, that are looked at
BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff")
COMMA = r"^\s*[+-]?\d+(,\d+)?\s*$"
THOUSANDS = r"^\s*[+-]?[1-9]\d{0,2},\d{3}\s*$"


def read(file: Path) -> tuple[Table, Format]:
    """The table, and how it turned out to be written.

    Raises:
        DataError: there is no such file, or it is no table.
    """
    if file.is_dir():
        fix = f"name a table in it; for pictures in a folder a class: mmtrain train data=folder data.root={file}"
        raise DataError(Problem(str(file), "is a folder", fix))
    if not file.exists():
        near = get_close_matches(file.name, [item.name for item in file.parent.iterdir()], n=1) if file.parent.is_dir() else []
        raise DataError(
            Problem(str(file), "there is no such file", f"did you mean '{file.with_name(near[0])}'?" if near else "name a table of rows")
        )
    form = _form(file) if file.suffix.lower() in SEPARATORS else Format()
    table = read_table(file, form)
    separator = form.separator or SEPARATORS.get(file.suffix.lower())
    if separator not in (None, ",") and any(_has_commas(table, column, separator) for column in table.frame.columns):
        form = Format(encoding=form.encoding, separator=form.separator, decimal=",")
        table = read_table(file, form)
    return table, form


def _form(file: Path) -> Format:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise DataError(Problem(str(file), f"cannot be read: {error.strerror}")) from error
    encoding = _encoding(content)
    lines = content.decode(encoding, "replace").removeprefix("\ufeff").splitlines()[:LINES]
    usual = SEPARATORS[file.suffix.lower()]
    candidates = [usual, *CANDIDATES] if usual else CANDIDATES
    separator = next((candidate for candidate in candidates if _separates(candidate, lines)), None)
    return Format(encoding=encoding, separator=None if separator == usual else separator)


def _separates(separator: str, lines: list[str]) -> bool:
    """Whether every row has as many cells as the next, and more than one; the last line may have been cut off."""
    counts = {len(cells) for cells in [*csv.reader(lines, delimiter=separator)][: max(len(lines) - 1, 2)] if cells}
    return len(counts) == 1 and 1 not in counts


def _encoding(content: bytes) -> str:
    if content.startswith(BYTE_ORDER_MARKS):
        return "utf-16"
    try:
        content.decode()
    except UnicodeDecodeError:
        return "cp1252"  # what most programs write that do not write UTF-8
    return "utf-8"


def _has_commas(table: Table, column: str, separator: str) -> bool:
    """Whether the cells are numbers, and the point of some is a comma; that of 1,234 may also part thousands, unless ; separates cells."""
    cells = table.frame[column].drop_nulls().head(ROWS).to_list()
    pointed = [cell for cell in cells if "," in cell and (separator == ";" or not re.match(THOUSANDS, cell))]
    return bool(pointed) and all(re.match(COMMA, cell) for cell in cells)
