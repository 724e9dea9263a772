"""Several files of rows as one table."""

import os
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
import polars as pl

from mmtrain.errors import DataError, Problem
from mmtrain.table import Table

SHOWN = 10


def stacked(tables: Sequence[Table], where: str) -> Table:
    """The rows of all tables, one below the other, with the columns of all: a cell is missing where its file lacks the column.

    `where` the files are named.

    Raises:
        DataError: a column has cells of types that do not go together, or paths in cells start at different folders.
    """
    if len(tables) == 1:
        return tables[0]
    problems = _clashes(tables)
    if len({table.root for table in tables}) > 1:
        problems.append(Problem(where, "its files lie in different folders", "set data.root, where paths in cells start"))
    if problems:
        raise DataError(*problems)
    frame = pl.concat([table.frame for table in tables], how="diagonal_relaxed")
    files = np.concatenate([np.full(len(table), table.file, object) for table in tables])
    name = " + ".join(table.file for table in tables)
    return Table(frame, name, np.concatenate([table.numbers for table in tables]), tables[0].root, tables[0].decimal, files=files)


def stacked_ids(tables: Sequence[Table], ids: Sequence[list[str]], column: str | None, paths: Sequence[Path]) -> list[str]:
    """Names of a stacked table's rows from those of each file: the cells of `column`, else the rows' numbers behind their file.

    A file goes by the part of its path that tells it from the others, so that its rows have the same names in another folder.

    Raises:
        DataError: two files share an id.
    """
    if len(tables) == 1:
        return ids[0]
    if column is None:
        common = os.path.commonpath([path.absolute() for path in paths])
        files = [path.absolute().relative_to(common).as_posix() for path in paths]
        return [f"{file}:{name}" for file, names in zip(files, ids, strict=True) for name in names]
    places: dict[str, list[str]] = defaultdict(list)
    for table, names in zip(tables, ids, strict=True):
        for row, name in enumerate(names):
            places[name].append(table.place(row))
    fix = "give every row its own, or leave data.id out"
    twice = [Problem("data.id", f"'{name}' stands in {' and in '.join(found)}", fix) for name, found in places.items() if len(found) > 1]
    if twice:
        raise DataError(*twice[:SHOWN])
    return list(places)


def _clashes(tables: Sequence[Table]) -> list[Problem]:
    """Columns whose type differs from that of the first file that has it, as text does from numbers."""
    first: dict[str, tuple[pl.DataType, str]] = {}
    problems = []
    for table in tables:
        for column, kind in table.frame.schema.items():
            known, file = first.setdefault(column, (kind, table.file))
            if not _go_together(known, kind):
                found = f"is of type {known} in {file}, and of type {kind} in {table.file}"
                problems.append(Problem(f"column '{column}'", found, "write both in the same way, or rename one"))
            elif known == pl.Null:
                first[column] = (kind, table.file)
    return problems


def _go_together(one: pl.DataType, other: pl.DataType) -> bool:
    if pl.Null in (one, other) or (one.is_numeric() and other.is_numeric()):
        return True
    if isinstance(one, pl.List) and isinstance(other, pl.List):
        return _go_together(cast(pl.DataType, one.inner), cast(pl.DataType, other.inner))
    return one == other or (isinstance(one, pl.Datetime) and isinstance(other, pl.Datetime) and one.time_zone == other.time_zone)
