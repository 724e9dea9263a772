"""Rows whose inputs stand in train and in another split, too: what is measured on them is memory."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np
import polars as pl

from mmtrain.data.live import Live
from mmtrain.data.store import Fixed, Ragged, Store
from mmtrain.inspection.rows import Rows
from mmtrain.modality import Modality
from mmtrain.source import TRAIN
from mmtrain.table import Table

SHOWN = 3
LARGEST_STORE = 2**32  # bytes; the content of a larger one is not read, only the cells
ROWS = 512  # of a store that are hashed at a time, since this takes a copy of them
MIX = np.uint64(0x9E3779B97F4A7C15)  # an odd number without a pattern, which spreads a sum over all 64 bits


@dataclass(frozen=True)
class Repeats:
    """`count` of the `rows` of a split have the inputs of a train row; `examples` are ids (of the split's row, of train's row)."""

    split: str
    count: int
    rows: int
    examples: list[tuple[str, str]]

    @property
    def line(self) -> str:
        """In one line."""
        named = ", ".join(f"{own} = {other} of train" for own, other in self.examples)
        return f"{self.split}: {self.count:,} of {self.rows:,} rows ({self.count / self.rows:.1%}) have the inputs of a train row: {named}"


def repeats(rows: Rows) -> list[Repeats]:
    """Of every split but train that has any. Files are compared as the model sees them, other cells as they are written.

    A row without any input is no repeat. Keys have 64 bits: that any two of a million
    rows look equal by chance has a probability of 3e-8.
    """
    keys = {split: _keys(split, rows) for split in rows.splits.rows}
    known = {key: row for row, key in reversed(list(enumerate(keys[TRAIN].tolist()))) if key}
    found = []
    for split, own in keys.items():
        same = [(row, known[key]) for row, key in enumerate(own.tolist()) if key in known] if split != TRAIN else []
        if same:
            ids = rows.data.splits[split].ids, rows.data.splits[TRAIN].ids
            examples = [(ids[0][row], ids[1][other]) for row, other in same[:SHOWN]]
            found.append(Repeats(split, len(same), len(own), examples))
    return found


def _keys(split: str, rows: Rows) -> np.ndarray:
    """A number for the inputs of each row, (n,) uint64; 0 where there is no input."""
    dataset, table = rows.data.splits[split], rows.table(split)
    keys = np.zeros(len(dataset), np.uint64)
    for name, modality in dataset.modalities.items():
        own = _of_modality(modality, dataset.stores[name], dataset.positions, table)
        keys = keys * MIX + np.where(dataset.present[name], own, np.uint64(0))
    return keys


def _of_modality(modality: Modality, store: Store | Live, positions: np.ndarray, table: Table) -> np.ndarray:
    if modality.files and isinstance(store, Store) and _size(store.arrays) <= LARGEST_STORE:
        return _of_arrays(store.arrays, positions)
    cells = [table.frame[column] for column in modality.columns]
    return pl.DataFrame([column.cast(_wide(column.dtype)) for column in cells]).hash_rows(seed=1).to_numpy()


def _wide(kind: pl.DataType) -> pl.DataType:
    """One type for all numbers, in lists too: the same number is hashed in another way where it has another type."""
    if isinstance(kind, pl.List | pl.Array):
        return pl.List(_wide(cast(pl.DataType, kind.inner)))
    return pl.Float64() if kind.is_numeric() else kind


def _size(arrays: Mapping[str, Fixed | Ragged]) -> int:
    return sum(array.values.nbytes for array in arrays.values())


def _of_arrays(arrays: Mapping[str, Fixed | Ragged], positions: np.ndarray) -> np.ndarray:
    """A number for what the store holds at each position."""
    keys = np.zeros(len(positions), np.uint64)
    for array in arrays.values():
        for start in range(0, len(positions), ROWS):
            some = slice(start, start + ROWS)
            rows = [_row(array, row).tobytes() for row in positions[some].tolist()]
            keys[some] = keys[some] * MIX + pl.Series(rows, dtype=pl.Binary).hash(seed=1).to_numpy()
    return keys


def _row(array: Fixed | Ragged, row: int) -> np.ndarray:
    return array.values[row] if isinstance(array, Fixed) else array.values[array.offsets[row] : array.offsets[row + 1]]
