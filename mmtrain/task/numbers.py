"""The numbers that a task of numbers learns from."""

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import numpy as np
from jaxtyping import Float

from mmtrain.errors import DataError, Problem
from mmtrain.table import Table
from mmtrain.task.labels import unlabelled

SHOWN = 5  # cells that an error names


def train_numbers(task: str, column: str, table: Table, read: Callable[[Table], Float[np.ndarray, " n"]]) -> Float[np.ndarray, " labelled"]:
    """The numbers of the labelled rows; `read` gives those of a table, NaN where there is none. Bad cells are left to `encode` to report.

    Raises:
        DataError: no row is labelled, or all labels are equal.
    """
    reported = replace(table, bad=[])
    numbers = read(reported)
    numbers = numbers[np.isfinite(numbers)]
    if len(numbers) == 0:
        fix = f"labels that are words are for task@tasks.{task}=classification" if reported.bad else ""
        raise DataError(Problem(f"tasks.{task}", unlabelled(column, table), fix), *reported.bad[:SHOWN])
    if np.ptp(numbers) == 0:
        found = f"all {len(numbers)} labels of column '{column}' in train are {numbers[0]:g}"
        raise DataError(Problem(f"tasks.{task}", found, "there is nothing to learn from a constant"))
    return numbers


def scaled_numbers(table: Table, column: str, scaling: Literal["standard", "log1p"]) -> Float[np.ndarray, " n"]:
    """The cells as float64, not scaled yet, NaN where there is no label; what cannot be a number, or not be scaled, is rejected."""
    numbers = table.floats(column)
    if scaling == "log1p":
        for row in np.flatnonzero(numbers < 0).tolist():
            table.reject(row, column, f"found '{table.frame[column][row]}', which is below 0: scaling=log1p cannot take it")
        numbers = np.where(numbers < 0, np.nan, numbers)
    return numbers
