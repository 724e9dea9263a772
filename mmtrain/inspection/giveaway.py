"""Columns that tell a target all by themselves: the answer under another name, or something written down after it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from mmtrain.inspection.rows import Rows
from mmtrain.source import TRAIN
from mmtrain.source.split import commonest
from mmtrain.table import Table
from mmtrain.task import Task

ROWS = 20_000  # of train, at most
FEWEST = 50  # rows to score on
BINS = 64  # that a column of more different numbers is cut into, equally full
SUSPICIOUS = 0.6  # skill from which on a column is named: share of the constant answer's errors that it saves, or R2


@dataclass(frozen=True)
class Giveaway:
    """On held-out train rows `column` alone predicts `task` at `score` (accuracy, or R2), a constant answer at `constant`."""

    column: str
    task: str
    score: float
    constant: float
    numeric: bool

    @property
    def skill(self) -> float:
        """The share of the constant answer's errors that the column saves; for numbers R2."""
        return (self.score - self.constant) / max(1 - self.constant, 1e-12)

    @property
    def line(self) -> str:
        """In one line."""
        found = f"explains {self.score:.2f} of the variance of" if self.numeric else "predicts"
        at = "" if self.numeric else f" at {self.score:.2f} (constant {self.constant:.2f})"
        return f"column '{self.column}' alone {found} '{self.task}'{at}: does it give the answer away?"


def giveaways(rows: Rows) -> list[Giveaway]:
    """Every column of numbers, categories or text that predicts a task nearly perfectly, the most telling first.

    Each value of the column (of many different numbers, each of 64 bins) gets the commonest label, or the mean, that it has in one half
    of the train rows (at most 20,000); scored is the other half. Named are columns with a skill of 0.6: that
    save so much of the constant answer's errors, or explain so much of the variance. Such a column need not be a leak: it may
    simply be a good input.
    """
    table = rows.table(TRAIN, most=ROWS)
    halves = np.array_split(np.random.default_rng(0).permutation(len(table)), 2)
    columns = dict.fromkeys(column for part in rows.data.modalities.values() if not part.files for column in part.columns)
    codes = {column: _codes(table, column, halves[0]) for column in columns}
    found = [giveaway for task in rows.data.tasks.values() for giveaway in _of_task(task, codes, table, halves)]
    return sorted((giveaway for giveaway in found if giveaway.skill >= SUSPICIOUS), key=lambda giveaway: -giveaway.skill)


def _codes(table: Table, column: str, half: np.ndarray) -> np.ndarray:
    """A number for the value in each row, (n,) int64; an empty cell is a value, too."""
    cells, table = table.frame[column], replace(table, bad=[])
    values = table.floats(column) if cells.dtype == pl.String or cells.dtype.is_numeric() else np.zeros(0)
    if not table.bad and len(np.unique(values)) > BINS:
        edges = (
            np.unique(np.nanquantile(values[half], np.linspace(0, 1, BINS + 1)[1:-1])) if np.isfinite(values[half]).any() else np.zeros(0)
        )
        return np.where(np.isnan(values), -1, np.searchsorted(edges, values, "right"))
    return (cells.hash() if cells.dtype.is_nested() else cells).rank("dense").fill_null(0).to_numpy().astype(np.int64)


def _of_task(task: Task, codes: Mapping[str, np.ndarray], table: Table, halves: list[np.ndarray]) -> list[Giveaway]:
    """How each column does in a task; masks, which take long to read, are nothing that a column could tell."""
    if getattr(task, "places", False):
        return []
    targets, labelled = task.encode(replace(table, bad=[]))
    first, second = (half[labelled[half]] for half in halves)
    if min(len(first), len(second)) < FEWEST or targets.ndim != 1:
        return []
    known, asked = targets[first], targets[second]
    numeric = targets.dtype.kind == "f"
    constant = 0.0 if numeric else float((asked == np.bincount(known).argmax()).mean())
    found = []
    for column, values in codes.items():
        if numeric:
            score = 1 - np.square(asked - _means(values[first], known, values[second])).mean() / max(float(asked.var()), 1e-12)
        else:
            score = (asked == _commonest(values[first], known, values[second])).mean()
        found.append(Giveaway(column, task.name, float(score), constant, numeric))
    return found


def _means(codes: np.ndarray, targets: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """The mean target of each asked code; the mean of all where it is new."""
    values, places = np.unique(codes, return_inverse=True)
    return _taken(values, np.bincount(places, targets) / np.bincount(places), asked, targets.mean())


def _commonest(codes: np.ndarray, targets: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """The commonest target of each asked code; the commonest of all where it is new."""
    values, places = np.unique(codes, return_inverse=True)
    return _taken(values, commonest(places, targets), asked, int(np.bincount(targets).argmax()))


def _taken(values: np.ndarray, answers: np.ndarray, asked: np.ndarray, otherwise: float) -> np.ndarray:
    """The answer to each asked value; `values` rise."""
    places = np.searchsorted(values, asked).clip(max=len(values) - 1)
    return np.where(values[places] == asked, answers[places], otherwise)
