"""Targets of one split: encoded in memory, with every class that train never saw named."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from mmtrain.data.problems import together
from mmtrain.data.settings import Settings
from mmtrain.errors import DataError, Problem
from mmtrain.spec import UNSEEN
from mmtrain.table import Table
from mmtrain.task import Task

SHOWN = 10


@dataclass(frozen=True)
class Target:
    """`values` lead with n, 0 where not `labelled`; `usable` rows are labelled with a value that train knows."""

    values: np.ndarray
    labelled: np.ndarray
    usable: np.ndarray


def encode_targets(tasks: Mapping[str, Task], table: Table, settings: Settings) -> tuple[dict[str, Target], list[str]]:
    """Targets of every task, and what the user should know of them.

    Raises:
        DataError: a cell cannot be read, or its class is new, and `settings` does not let that pass.
    """
    found = together([partial(_encode, name, task, table, settings) for name, task in tasks.items()])
    return dict(zip(tasks, (target for target, _ in found), strict=True)), [note for _, notes in found for note in notes]


def _encode(name: str, task: Task, table: Table, settings: Settings) -> tuple[Target, list[str]]:
    table = replace(table, bad=[])
    values, labelled = task.encode(table)
    if table.bad and settings.on_bad == "error":
        total = Problem(
            f"tasks.{name}",
            f"labels that cannot be read: {len(table.bad)}, the first are named above",
            "mend them, or set data.on_bad=absent",
        )
        raise DataError(*table.bad[:SHOWN], total)
    notes = (
        [f"tasks.{name}: labels that cannot be read and count as missing: {len(table.bad)}; the first: {table.bad[0]}"] if table.bad else []
    )
    whole = values.dtype.kind == "i"  # among numbers, -1 is one like another
    new = labelled & (values.reshape(len(values), -1) == UNSEEN).any(1) if whole else np.zeros(len(labelled), bool)
    if new.any():
        notes.append(_unseen(name, task, table, new, settings))
    values = np.where(labelled.reshape(-1, *[1] * (values.ndim - 1)), values, np.zeros(1, values.dtype))
    return Target(values, labelled, labelled & ~new), notes


def _unseen(name: str, task: Task, table: Table, new: np.ndarray, settings: Settings) -> str:
    cells = Counter(zip(*(_written(table.take(np.flatnonzero(new)), column) for column in task.columns), strict=True))
    shown = ", ".join(f"'{' '.join(filter(None, cell))}' (rows: {count})" for cell, count in cells.most_common(SHOWN))
    more = f" and {len(cells) - SHOWN} more" if len(cells) > SHOWN else ""
    where, found = f"tasks.{name}, {table.file}", f"train never saw {shown}{more}"
    if settings.on_unseen == "error":
        raise DataError(Problem(where, found, "add rows to train, or set data.on_unseen=warn"))
    return f"{where}: {found}; these rows count as wrong"


def _written(table: Table, column: str) -> list[str | None]:
    """Cells as text, lists too."""
    return [str(cell) for cell in table.frame[column].to_list()] if table.frame[column].dtype.is_nested() else table.text(column)
