"""Vectors: a feature of each row that was computed elsewhere, such as an embedding."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn

from mmtrain.batch import Vector
from mmtrain.errors import DataError, Problem
from mmtrain.modality.cell import UnreadableError, describe
from mmtrain.modality.numbers import Cell, content, npy_array, number_cells, numbers_in
from mmtrain.modality.protocol import Fixed
from mmtrain.modality.scaling import Standard
from mmtrain.option import Column
from mmtrain.spec import VectorSpec
from mmtrain.table import Table

SHOWN = 10  # of the cells that could not be read


class VectorModality(nn.Module):
    """A vector a row, of one width for all: a list, text of numbers, or the path of a `.npy` file (or, in Parquet, the file itself).

    The width is that of most train rows; a vector of another one, or with a number missing, cannot be read. Each number is scaled to
    mean 0 and deviation 1 over what train shows at its place.
    """

    kind: ClassVar[str] = "vector"
    files: ClassVar[bool] = True

    def __init__(self, *, column: Column) -> None:
        super().__init__()
        self.column = column
        self.scalers: list[Standard] = []

    @property
    def columns(self) -> list[str]:
        """The one column that holds the vectors."""
        return [self.column]

    @property
    def recipe(self) -> dict[str, Any]:
        """No option."""
        return {}

    @property
    def spec(self) -> VectorSpec:
        """Width of the vectors."""
        return VectorSpec(len(self.scalers))

    @property
    def most_bytes(self) -> int:
        """Of a stored row."""
        return 4 * len(self.scalers)

    def fit(self, table: Table) -> None:
        """Learn the width, and the scale of each place.

        Raises:
            DataError: no train row has a vector that can be read.
        """
        table = replace(table, bad=[])
        widths = dict[int, _Moments]()
        for _, vector in self._read(table):
            widths.setdefault(len(vector), _Moments(len(vector))).add(vector)
        if not widths:
            nothing = Problem(f"{table.file}, column '{self.column}'", "no train row has a vector", "is it the right column?")
            raise DataError(*(table.bad[:SHOWN] or [nothing]))
        self.scalers = max(widths.values(), key=lambda moments: moments.count).scalers

    def state(self) -> dict[str, Any]:
        """A scale for each place."""
        return {"scales": [scaler.state() for scaler in self.scalers]}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Restore the scales."""
        self.scalers = [Standard.restore(scale) for scale in state["scales"]]

    def encode(self, table: Table) -> tuple[dict[str, np.ndarray | list[np.ndarray]], np.ndarray]:
        """`values` (n, D) float32."""
        values = np.zeros((len(table), len(self.scalers)))
        present = np.zeros(len(table), bool)
        for row, vector in self._read(table):
            if len(vector) == len(self.scalers):
                values[row], present[row] = vector, True
            else:
                table.reject(row, self.column, f"found a vector of {len(vector)} numbers, where those of train have {len(self.scalers)}")
        for place, scaler in enumerate(self.scalers):
            values[present, place] = scaler.scale(values[present, place])
        return {"values": values.astype(np.float32)}, present

    def _read(self, table: Table) -> Iterator[tuple[int, np.ndarray]]:
        """Position and vector of every cell; one that holds none is rejected."""
        for row, cell in number_cells(table, self.column):
            try:
                yield row, _vector(table, cell)
            except UnreadableError as error:
                table.reject(row, self.column, str(error))

    def collate(self, stored: Mapping[str, Fixed], rows: np.ndarray) -> Vector:
        """Scaled numbers (K, D)."""
        return Vector(torch.from_numpy(stored["values"].take(rows)))

    def forward(self, inputs: Vector) -> Vector:
        """Numbers stay as they are."""
        return inputs


class _Moments:
    """Mean and deviation of each place of vectors that come one by one, so that they need not be in memory together.

    Source: Welford 1962, which loses no digits where the mean is far from 0.
    """

    def __init__(self, width: int) -> None:
        self.count = 0
        self.mean, self.squares = np.zeros((2, width))
        self.low, self.high = np.full(width, np.inf), np.full(width, -np.inf)

    def add(self, vector: np.ndarray) -> None:
        self.count += 1
        change = vector - self.mean
        self.mean += change / self.count
        self.squares += change * (vector - self.mean)
        self.low, self.high = np.minimum(self.low, vector), np.maximum(self.high, vector)

    @property
    def scalers(self) -> list[Standard]:
        """As `Standard.fit` of all vectors gives them."""
        deviations = np.where(self.high > self.low, np.sqrt(self.squares / self.count), 0)
        return [Standard(mean, deviation) for mean, deviation in zip(self.mean.tolist(), deviations.tolist(), strict=True)]


def _vector(table: Table, cell: Cell) -> np.ndarray:
    vector, name = numbers_in(cell, table.decimal), "the vector in the cell"
    if vector is None:
        assert isinstance(cell, str | bytes)
        name = describe(cell)
        vector = npy_array(content(table, cell), name)
    if sum(length != 1 for length in vector.shape) > 1:
        raise UnreadableError(f"{name} has the shape {'x'.join(map(str, vector.shape))}, where a vector has one dimension")
    vector = vector.ravel()
    if not len(vector):
        raise UnreadableError(f"{name} holds no number")
    if not np.isfinite(vector).all():
        raise UnreadableError(f"{name} holds a value that is missing or not finite, at place {int(np.argmin(np.isfinite(vector))) + 1}")
    return vector
