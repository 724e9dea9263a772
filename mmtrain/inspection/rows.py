"""What is looked at: the prepared data, and the cells that they were made of."""

from dataclasses import dataclass

import numpy as np

from mmtrain.data import Data
from mmtrain.source import Splits
from mmtrain.table import Table


@dataclass(frozen=True)
class Rows:
    """`data` and `splits` are of the same rows in the same order."""

    data: Data
    splits: Splits

    def table(self, split: str, *, most: int | None = None) -> Table:
        """The cells of a split, or of at most so many of its rows, evenly spaced."""
        name, rows = self.splits.rows[split]
        return self.splits.tables[name].take(rows if most is None else rows[spread(len(rows), most)])

    def counts(self) -> list[list[str]]:
        """For each modality, then for each task: its name, its kind, and how many rows of each split have it."""
        splits = self.data.splits.values()
        inputs = [
            [name, modality.kind, *(_share(split.present[name]) for split in splits)] for name, modality in self.data.modalities.items()
        ]
        tasks = [
            [name, type(task).__name__.lower(), *(_share(split.labelled[name]) for split in splits)]
            for name, task in self.data.tasks.items()
        ]
        return [*inputs, *tasks]

    def empty_cells(self) -> dict[str, dict[str, float]]:
        """Share of empty cells in each split, for every column that is read and has any."""
        inputs = [column for modality in self.data.modalities.values() for column in modality.columns]
        columns = dict.fromkeys([*inputs, *(column for task in self.data.tasks.values() for column in task.columns)])
        tables = {split: self.table(split).frame for split in self.splits.rows}
        shares = {
            column: {split: frame[column].null_count() / len(frame) if column in frame.columns else 1.0 for split, frame in tables.items()}
            for column in columns
        }
        return {column: found for column, found in shares.items() if any(found.values())}


def _share(there: np.ndarray) -> str:
    return f"{len(there):,}" if there.all() else f"{there.sum():,} ({there.mean():.0%})"


def spread(count: int, most: int) -> np.ndarray:
    """Positions of at most `most` of `count` rows, evenly spaced."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(np.int64))
