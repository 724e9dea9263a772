"""Cells that hold several numbers: a list, text of numbers, or a `.npy` file."""

import re
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import numpy as np

from mmtrain.modality.cell import UnreadableError, describe, encoded_file, filled_cells
from mmtrain.table import Table

ROWS = 256  # whose lists are Python's at the same time: a number is eight times as large there

Cell = str | bytes | list[Any] | dict[str, Any]  # the last is no series and no vector

MAGIC = b"\x93NUMPY"
MISSING = {"", "nan", "na", "null", "none"}  # how a number that is not known is written, in small letters


def number_cells(table: Table, column: str) -> Iterator[tuple[int, Cell]]:
    """Position and content of every cell that is not missing, lists as lists."""
    cells = table.frame[column]
    if not cells.dtype.is_nested():
        yield from filled_cells(table, column)
        return
    for start in range(0, len(cells), ROWS):
        for row, cell in enumerate(cells[start : start + ROWS].to_list(), start):
            if cell is not None:
                yield row, cell


def numbers_in(cell: Cell, decimal: str = ".") -> np.ndarray | None:
    """The numbers that the cell itself holds, float64, NaN where one is missing; None where it stands for a file.

    Text counts as numbers if it holds nothing else, separated by blanks, semicolons or commas, in brackets or not. Lists of lists
    of one length are (T, N), everything else is (T,).

    Raises `UnreadableError` for a list that is no list of numbers.
    """
    if not isinstance(cell, str | bytes):
        try:
            return np.array(cell, np.float64)  # None becomes NaN
        except (TypeError, ValueError):
            raise UnreadableError("the cell holds something that is no number, or lists of several lengths") from None
    if isinstance(cell, bytes):
        return None
    breaks = r"\s*[;,]\s*|\s+" if decimal == "." else r"\s*;\s*|\s+"
    words = re.split(breaks, cell.strip().removeprefix("[").removesuffix("]").strip())
    missing = [word.lower() in MISSING for word in words]
    if all(missing) or "_" in cell:  # Python takes 2021_03 for a number
        return None
    if decimal != ".":  # then "1.500" may well mean 1500: it is no number
        words = [word.replace(".", "?").replace(decimal, ".") for word in words]
    try:
        return np.array(["nan" if lacks else word for word, lacks in zip(words, missing, strict=True)], np.float64)
    except ValueError:
        return None


def content(table: Table, cell: str | bytes) -> bytes:
    """The bytes of the file that the cell stands for.

    Raises `UnreadableError` where there is none.
    """
    file = encoded_file(table, cell)
    if isinstance(file, BytesIO):
        return file.getvalue()
    try:
        return file.read_bytes()
    except OSError as error:
        raise UnreadableError(f"{describe(cell)} cannot be opened: {error}") from None


def npy_array(encoded: bytes, name: str) -> np.ndarray:
    """The array of a `.npy` file called `name` in messages, as float64.

    Raises `UnreadableError` where it is broken or holds no real numbers.
    """
    try:
        array = np.load(BytesIO(encoded), allow_pickle=False)
    except Exception as error:  # on a broken file numpy may raise anything
        raise UnreadableError(f"{name} cannot be decoded as a .npy file: {str(error).splitlines()[0]}") from None
    if array.dtype.kind not in "biuf":
        raise UnreadableError(f"{name} holds values of type {array.dtype}, not real numbers")
    return array.astype(np.float64)
