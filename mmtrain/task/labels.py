"""The user's own labels and their numbers."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from mmtrain.errors import DataError, Problem
from mmtrain.spec import UNSEEN
from mmtrain.table import Table


@dataclass(frozen=True)
class Labels:
    """The labels of the train rows in the order of their numbers, with how many rows have each."""

    counts: Mapping[str, int]

    @classmethod
    def fit(cls, task: str, column: str, table: Table) -> "Labels":
        """Gather the labels: in numeric order where all are numbers, else in the order of their text.

        Raises:
            DataError: fewer than two different labels.
        """
        counts = Counter(cell for cell in table.text(column) if cell is not None)
        if len(counts) < 2:
            found = (
                f"all {counts.total()} labels of column '{column}' in train are '{next(iter(counts))}'"
                if counts
                else unlabelled(column, table)
            )
            raise DataError(Problem(f"tasks.{task}", found, "two different labels are the least that can be told apart"))
        return cls({label: counts[label] for label in ordered(list(counts))})

    @classmethod
    def restore(cls, state: Mapping[str, Any]) -> "Labels":
        """From what `state` gave."""
        return cls(dict(zip(state["labels"], state["counts"], strict=True)))

    def state(self) -> dict[str, Any]:
        """Labels and counts as lists, so that their order outlives any JSON writer."""
        return {"labels": list(self.counts), "counts": list(self.counts.values())}

    @property
    def rows(self) -> int:
        """Labelled train rows."""
        return sum(self.counts.values())

    @property
    def frequencies(self) -> Float[np.ndarray, " C"]:
        """Share of each label in the labelled train rows."""
        return np.array(list(self.counts.values())) / self.rows

    def encode(self, cells: Sequence[str | None]) -> tuple[Int[np.ndarray, " n"], Bool[np.ndarray, " n"]]:
        """Numbers of the labels, and which cells have one; -1 for a label that train never saw (and for no label)."""
        numbers = {label: number for number, label in enumerate(self.counts)}
        targets = [UNSEEN if cell is None else numbers.get(cell, UNSEEN) for cell in cells]
        return np.array(targets, np.int64), np.array([cell is not None for cell in cells], bool)

    def decode(self, answer: Float[np.ndarray, "n C"]) -> dict[str, list[Any]]:
        """The most probable label, its probability, and the probability of each label."""
        names = list(self.counts)
        columns: dict[str, list[Any]] = {"": [names[number] for number in answer.argmax(1)], ".confidence": answer.max(1).tolist()}
        return columns | {f".p.{name}": answer[:, number].tolist() for number, name in enumerate(names)}


def ordered(labels: Sequence[str]) -> list[str]:
    """Labels in numeric order where all are finite numbers, else in the order of their text."""
    numbers = {label: number_of(label) for label in labels}
    if all(math.isfinite(number) for number in numbers.values()):
        return sorted(labels, key=lambda label: (numbers[label], label))
    return sorted(labels)


def unlabelled(column: str, table: Table) -> str:
    """Say that nothing can be learned from the column."""
    return f"none of the {len(table)} train rows in {table.file} has a label in column '{column}'"


def number_of(label: str) -> float:
    """The label as a number, NaN where it is none."""
    try:
        return float(label)
    except ValueError:
        return math.nan
