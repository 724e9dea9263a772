"""CSV and TSV: bytes in, a frame of text cells out, with every malformed row named."""

import csv
import io

import numpy as np
import polars as pl

from mmtrain.errors import DataError, Problem

QUOTE, NEWLINE = ord('"'), ord("\n")
BLOCK = 2**24  # letters that are looked at together: what is noted of each would fill more memory than the file


def parse(content: bytes, file: str, separator: str) -> tuple[pl.DataFrame, np.ndarray]:
    """Cells of UTF-8 `content` as text, never inferred, and the number of each row, counted from 1 without the header.

    Blank lines are skipped (in a table of one column they are missing cells) but counted, as an editor does.

    Raises:
        DataError: a column name stands twice, a row has too many or too few cells, or a quote is never closed.
    """
    content = content.lstrip(b"\r\n")
    if b"\n" not in content:
        content = content.replace(b"\r", b"\n")  # line ends of old Macs
    names = _header(content, file, separator)
    cells, blank = _shape(content, separator)
    wrong = np.flatnonzero((cells != len(names)) & ~blank)
    if len(wrong):
        raise DataError(*(_ragged(file, row, int(cells[row]), len(names)) for row in wrong[:10].tolist()))
    try:
        frame = pl.read_csv(content, separator=separator, infer_schema=False)
    except pl.exceptions.PolarsError as error:
        raise DataError(_malformed(file, str(error).splitlines()[0])) from error
    if frame.height != len(cells) - 1:
        raise DataError(_malformed(file, f"{len(cells) - 1} rows were counted but {frame.height} could be read"))
    frame.columns = names
    kept = np.flatnonzero(~blank[1:]) if len(names) > 1 else np.arange(frame.height)
    return frame if len(kept) == frame.height else frame[kept], kept + 1


def _header(content: bytes, file: str, separator: str) -> list[str]:
    """Column names: the first row of UTF-8 `content`."""
    names = next(csv.reader(io.TextIOWrapper(io.BytesIO(content), "utf-8", newline=""), delimiter=separator), [])
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(*(Problem(file, f"two columns are called '{name}'", "rename one") for name in twice))
    return names


def _shape(content: bytes, separator: str) -> tuple[np.ndarray, np.ndarray]:
    """Number of cells of every record, the header being the first, and whether its line is blank.

    polars fills up short rows without a word, so the separators and line ends outside quotes are counted here.
    """
    letters = np.frombuffer(content if content.endswith(b"\n") else content + b"\n", dtype=np.uint8)
    line_ends, breaks_before = list[np.ndarray](), list[np.ndarray]()
    quotes = breaks = 0
    for start in range(0, len(letters), BLOCK):
        block = letters[start : start + BLOCK]
        outside = (np.cumsum(block == QUOTE, dtype=np.uint8) + np.uint8(quotes)) % 2 == 0
        ends = np.flatnonzero((block == NEWLINE) & outside)
        found = np.flatnonzero((block == ord(separator)) & outside)
        line_ends.append(ends + start)
        breaks_before.append(np.searchsorted(found, ends) + breaks)
        quotes, breaks = int(not outside[-1]), breaks + len(found)
    ends, cells = np.concatenate(line_ends), np.diff(np.concatenate(breaks_before), prepend=0) + 1
    lengths = np.diff(ends, prepend=-1) - 1
    blank = (lengths == 0) | ((lengths == 1) & (letters[ends - 1] == ord("\r")))
    return cells, blank


def _ragged(file: str, row: int, cells: int, columns: int) -> Problem:
    fix = "a cell that holds a separator, a quote or a line break is written in quotes, and a quote inside it as two quotes"
    return Problem(f"{file}, row {row}", f"{cells} cells where the header has {columns}", fix)


def _malformed(file: str, found: str) -> Problem:
    return Problem(file, f"cannot be parsed: {found}", "is there a quote inside a cell that is not written as two quotes?")
