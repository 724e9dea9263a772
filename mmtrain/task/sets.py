"""Cells that hold sets of labels."""

import json
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Bool, Float, Int

from mmtrain.errors import DataError, Problem
from mmtrain.spec import UNSEEN
from mmtrain.table import Table
from mmtrain.task.labels import ordered, unlabelled

SHOWN = 5  # cells that an error names

Cell = frozenset[str] | None  # None is no label; the empty set says that the row has none of the labels


@dataclass(frozen=True)
class Sets:
    """The labels of the train rows in the order of their columns, with how many rows have each.

    `rows` counts the labelled train rows, `commonest` is the set that most of them have (of equals, the first in order). `lists` says
    whether the cells are lists, rather than text.
    """

    counts: Mapping[str, int]
    rows: int
    commonest: Sequence[str]
    lists: bool

    @classmethod
    def fit(cls, task: str, column: str, table: Table, separator: str) -> "Sets":
        """Gather the labels: in numeric order where all are numbers, else in the order of their text.

        Raises:
            DataError: no row is labelled, or all rows have the same labels.
        """
        reported = replace(table, bad=[])  # `encode` reports bad cells to the table itself
        sets = Counter(cell for cell in read_sets(reported, column, separator) if cell is not None)
        if len(sets) < 2:
            same = f"all {sets.total()} labelled rows of column '{column}' in train have the same labels"
            problem = Problem(f"tasks.{task}", same if sets else unlabelled(column, table), "there is nothing to tell apart")
            raise DataError(problem, *reported.bad[:SHOWN])
        counts = Counter(label for cell, rows in sets.items() for label in cell for _ in range(rows))
        commonest = min((-rows, sorted(cell)) for cell, rows in sets.items())[1]
        lists = table.frame[column].dtype.is_nested()
        return cls({label: counts[label] for label in ordered(list(counts))}, sets.total(), commonest, lists)

    @classmethod
    def restore(cls, state: Mapping[str, Any]) -> "Sets":
        """From what `state` gave."""
        return cls(**{**state, "counts": dict(state["counts"])})

    def state(self) -> dict[str, Any]:
        """The fields; counts as a list of pairs, so that their order outlives any JSON writer."""
        return asdict(self) | {"counts": [list(pair) for pair in self.counts.items()], "commonest": list(self.commonest)}

    @property
    def frequencies(self) -> Float[np.ndarray, " C"]:
        """Share of the labelled train rows that have each label."""
        return np.array(list(self.counts.values())) / self.rows

    def encode(self, cells: Sequence[Cell]) -> tuple[Int[np.ndarray, "n width"], Bool[np.ndarray, " n"]]:
        """A column a label, 1 where the row has it, and a last one, -1 where the row has a label that train never saw; and which
        rows are labelled."""
        places = {label: place for place, label in enumerate(self.counts)}
        targets = np.zeros((len(cells), len(places) + 1), np.int64)
        for row, cell in enumerate(cells):
            for label in cell or ():
                targets[row, places.get(label, -1)] = 1 if label in places else UNSEEN
        return targets, np.array([cell is not None for cell in cells], bool)

    def decode(self, answer: Float[np.ndarray, "n C"], separator: str) -> dict[str, list[Any]]:
        """The set of labels with a probability above a half, written as the train cells were, and the probability of each label."""
        names = list(self.counts)
        sets = [[names[place] for place in np.flatnonzero(row > 0.5)] for row in answer]
        written: list[Any] = sets if self.lists else [separator.join(labels) or "[]" for labels in sets]
        return {"": written} | {f".p.{name}": answer[:, place].tolist() for place, name in enumerate(names)}


def read_sets(table: Table, column: str, separator: str) -> list[Cell]:
    """The cells as sets of labels, None where empty; a cell that is none is rejected, and None too.

    A cell is a list, a list in JSON, or text whose parts are the labels, without blanks around them; `[]` is the empty set.

    Raises:
        DataError: the column holds something else.
    """
    cells = table.frame[column]
    if isinstance(cells.dtype, pl.List | pl.Array) and not cells.dtype.inner.is_nested():
        found: Sequence[Any] = cells.to_list()
    else:
        found = [None if text is None else _parts(text, separator) for text in table.text(column)]
    return [_checked(table, column, row, cell) for row, cell in enumerate(found)]


def _parts(text: str, separator: str) -> Any:
    """The parts of a text; a text that looks like JSON and is none comes back as it is."""
    if not text.strip().startswith("["):
        return [part.strip() for part in text.split(separator)]
    try:
        return json.loads(text)
    except ValueError:
        return text


def _checked(table: Table, column: str, row: int, cell: Any) -> Cell:
    if cell is None:
        return None
    problem = ""
    if not isinstance(cell, list):
        problem = "which begins as a list in JSON and is none"
    elif not all(isinstance(label, str | int | float) and str(label) for label in cell):
        problem = "in which a label is empty"
    if problem:
        table.reject(row, column, f"found '{table.frame[column].to_list()[row]}', {problem}; allowed: labels, or [] for none")
        return None
    return frozenset(unicodedata.normalize("NFC", _word(label)) for label in cell)


def _word(label: str | float) -> str:
    """A label of a list as text: as `Table.text` has cells."""
    if isinstance(label, bool):
        return str(label).lower()
    return str(label).removesuffix(".0") if isinstance(label, float) else str(label)
