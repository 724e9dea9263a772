"""Cells to arrays: a modality encodes a table chunk by chunk, in threads."""

import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from mmtrain.data.ahead import ahead
from mmtrain.errors import Problem
from mmtrain.modality import Modality
from mmtrain.table import Table

ROWS = 64  # of a chunk, at most, where each cell is a file: of clips, they are some hundred megabytes
CELL_ROWS = 16384  # where cells hold the values themselves: a column's overhead, shared by so many rows, is nothing

Arrays = dict[str, np.ndarray | list[np.ndarray]]


@dataclass(frozen=True)
class Chunk:
    """Encoded rows that stand side by side in the table. A row that is not present has no length in a list of vectors."""

    arrays: Arrays
    present: np.ndarray
    bad: list[Problem]


def encode_chunks(modality: Modality, table: Table, done: Callable[[int], None]) -> Iterator[Chunk]:
    """Encode every row of the table, in order; `done` hears of every chunk's number of rows.

    Decoders of pictures and sounds release the interpreter's lock, so threads keep all cores busy without copies.
    """
    threads, most = os.cpu_count() or 1, ROWS if modality.files else CELL_ROWS
    size = max(1, min(most, -(-len(table) // threads)))  # few rows, such as those of a batch, are for all cores too
    parts = (table.take(slice(start, start + size)) for start in range(0, len(table), size))
    # No further ahead than this, or whole tables would pile up in memory.
    with closing(ahead(partial(_encode, modality), parts, threads=threads, count=threads)) as chunks:
        for chunk in chunks:
            done(len(chunk.present))
            yield chunk


@contextmanager
def progress(title: str, rows: int, *, show: bool) -> Iterator[Callable[[int], None]]:
    """A bar with rows, rate and time left while the block runs; only on a terminal."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not (show and console.is_terminal)) as bar:
        task = bar.add_task(title, total=rows, rate="")

        def done(count: int) -> None:
            bar.advance(task, count)
            speed = bar.tasks[0].speed
            bar.update(task, rate="" if speed is None else f"{speed:,.0f} rows/s")

        yield done


def _encode(modality: Modality, table: Table) -> Chunk:
    table = replace(table, bad=[])  # a list of its own, so that problems stay in the order of the rows
    arrays, present = modality.encode(table)
    for name, rows in arrays.items():
        assert len(rows) == len(present) == len(table), (
            f"{type(modality).__name__}.encode gave {len(rows)} rows of '{name}' for {len(table)}"
        )
        if isinstance(rows, list):
            arrays[name] = [row if there else row[:0] for row, there in zip(rows, present, strict=True)]
    return Chunk(arrays, present, table.bad)
