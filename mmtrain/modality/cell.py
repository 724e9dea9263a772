"""Cells that stand for a file (or a folder of files): its path, or (in Parquet, from a generator) the encoded file itself."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import polars as pl

from mmtrain.table import Table


class UnreadableError(Exception):
    """A cell that cannot be read; the message tells the user what was found."""


def filled_cells(table: Table, column: str) -> Iterator[tuple[int, str | bytes]]:
    """Position and content of every cell that is not missing; a path stays as it is, since file systems tell NFC from NFD."""
    cells = table.frame[column]
    if cells.dtype != pl.Binary:
        cells = cells.cast(pl.String)
    for row, cell in enumerate(cells):
        if cell is not None:
            yield row, cell


def describe(cell: str | bytes) -> str:
    """What a message calls the file: its path as the user wrote it, or its size."""
    return f"'{cell}'" if isinstance(cell, str) else f"the file of {len(cell)} bytes in the cell"


def encoded_file(table: Table, cell: str | bytes) -> Path | BytesIO:
    """The file that the cell stands for, as decoders take it; or the folder.

    Raises `UnreadableError` where there is no such file, it is empty, or the system refuses it.
    """
    try:
        file = BytesIO(cell) if isinstance(cell, bytes) else table.path(cell)
        size = len(cell) if isinstance(file, BytesIO) else file.stat().st_size
    except FileNotFoundError:
        raise UnreadableError(f"{describe(cell)} does not exist (looked for {file})") from None
    except (OSError, ValueError) as error:  # ValueError: a path with a null character
        raise UnreadableError(f"{describe(cell)} cannot be opened: {error}") from None
    if size == 0 and not (isinstance(file, Path) and file.is_dir()):  # some file systems give folders no size
        raise UnreadableError(f"{describe(cell)} is empty")
    return file
