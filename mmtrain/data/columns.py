"""The columns of a table, against those that the parts read."""

from collections.abc import Mapping
from dataclasses import replace

import polars as pl

from mmtrain.errors import Problem, nearest
from mmtrain.modality import Modality
from mmtrain.table import Table
from mmtrain.task import Task


def missing_columns(group: str, parts: Mapping[str, Modality] | Mapping[str, Task], table: Table) -> list[Problem]:
    """Say which columns of the parts the table lacks; `group` is where the parts stand in the configuration."""
    columns = table.frame.columns
    return [
        Problem(f"{group}.{name}", f"{table.file} has no column '{column}'", nearest(column, columns))
        for name, part in parts.items()
        for column in part.columns
        if column not in columns
    ]


def with_columns(table: Table, parts: Mapping[str, Modality] | Mapping[str, Task]) -> Table:
    """The table with an empty column for each that it lacks."""
    wanted = dict.fromkeys(column for part in parts.values() for column in part.columns)
    empty = [pl.lit(None, pl.String).alias(column) for column in wanted if column not in table.frame.columns]
    return replace(table, frame=table.frame.with_columns(empty))
