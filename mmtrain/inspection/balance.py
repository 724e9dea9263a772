"""How labels are spread over the train rows."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mmtrain.inspection.rows import Rows
from mmtrain.source import TRAIN
from mmtrain.task import Task

SHOWN = 4  # labels that the line of a task names
UNEVEN = 10  # times as many rows as the rarest label has: worth a word


@dataclass(frozen=True)
class Balance:
    """`counts` are the train rows of each label, the most frequent first; for numbers it is empty, and `numbers` holds them. `rows` are
    the labelled ones, where a row may have several labels. What is `counted` may be pixels instead."""

    task: str
    counts: Mapping[str, int]
    numbers: np.ndarray
    unit: str = ""
    rows: int | None = None
    counted: str = "row"

    @property
    def line(self) -> str:
        """In one line."""
        if not self.counts:
            low, middle, high = (f"{number:,.4g}" for number in np.quantile(self.numbers, [0, 0.5, 1]))
            return f"{self.task}: from {low} to {high}, median {middle}{f' {self.unit}' if self.unit else ''}"
        total = sum(self.counts.values()) if self.rows is None else self.rows
        named = ", ".join(f"{label} {count / total:.1%}" for label, count in list(self.counts.items())[:SHOWN])
        more = f", {len(self.counts) - SHOWN} more" if len(self.counts) > SHOWN else ""
        most, (rarest, fewest) = max(self.counts.values()), list(self.counts.items())[-1]
        uneven = (
            f"; the rarest, {rarest}, has {fewest:,} {self.counted}{'s' * (fewest != 1)}, {most / fewest:,.0f} times fewer"
            if most >= UNEVEN * fewest
            else ""
        )
        return f"{self.task}: {len(self.counts)} labels: {named}{more}{uneven}"


def balance(rows: Rows) -> list[Balance]:
    """Of every task."""
    return [found for name, task in rows.data.tasks.items() for found in _balances(name, task, rows)]


def _balances(name: str, task: Task, rows: Rows) -> list[Balance]:
    """Of its labels, or of each column of numbers."""
    labels = getattr(task, "labels", None)
    if labels is not None:
        counts = {label: count for label, count in sorted(labels.counts.items(), key=lambda item: -item[1]) if count > 0}
        return [Balance(name, counts, np.zeros(0), rows=labels.rows, counted=getattr(task, "counted", "row"))]
    several = {column: rows.table(TRAIN).floats(column) for column in task.columns}
    called = {column: name if len(several) == 1 else f"{name}.{column}" for column in several}
    return [Balance(called[column], {}, numbers[np.isfinite(numbers)], task.unit) for column, numbers in several.items()]
