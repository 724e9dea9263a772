"""Rows that lack a modality, where only whole rows are wanted."""

from dataclasses import replace

import numpy as np

from mmtrain.data.dataset import Dataset
from mmtrain.data.target import Target


def whole_rows_only(dataset: Dataset, where: str, *, train: bool) -> Dataset:
    """The same rows; incomplete ones enter no loss, and in train lose their labels. A note says how many there are, told of `where`."""
    lacking = ~np.logical_and.reduce(list(dataset.present.values()))
    encoded, notes = dataset.encoded, list(dataset.notes)
    if train:
        encoded = {name: _without(target, lacking) for name, target in encoded.items()}
    if lacking.any():
        what = "lose their labels" if train else "get the constant answer"
        notes.append(f"missing: {lacking.sum():,} of {len(dataset):,} rows of {where} lack a modality and {what}")
    return replace(dataset, encoded=encoded, notes=notes, whole_rows=True)


def _without(target: Target, rows: np.ndarray) -> Target:
    values = target.values.copy()
    values[rows] = 0
    return Target(values, target.labelled & ~rows, target.usable & ~rows)
