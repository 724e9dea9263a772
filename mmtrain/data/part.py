"""What the data layer asks of a modality and of a task."""

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np

from mmtrain.table import Table

Arrays = dict[str, np.ndarray | list[np.ndarray]]


@runtime_checkable
class Fitted(Protocol):
    """Anything that learns from the train rows how to read its columns."""

    @property
    def columns(self) -> list[str]:
        """Columns that it reads."""
        ...

    def fit(self, table: Table) -> None:
        """Learn from the train rows."""
        ...

    def state(self) -> dict[str, Any]:
        """What was learned, as JSON can hold it."""
        ...

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take what an earlier `fit` learned."""
        ...


@runtime_checkable
class Modality(Fitted, Protocol):
    """A part of the input, from cells to what an encoder reads."""

    @property
    def recipe(self) -> dict[str, Any]:
        """Options that `encode` depends on, as JSON can hold them; with the cells and the state they name the store."""
        ...

    @property
    def files(self) -> bool:
        """Whether a text cell is the path of a file; the store then depends on the file's size and time too."""
        ...

    def encode(self, table: Table) -> tuple[Arrays, np.ndarray]:
        """An array (n, ...) or a list of n vectors under each name, and which rows are present, (n,) bool."""
        ...

    def collate(self, stored: Mapping[str, Any], rows: np.ndarray) -> Any:
        """Host tensors of these rows; under each name `stored` holds a `Fixed` or a `Ragged`."""
        ...


@runtime_checkable
class Task(Fitted, Protocol):
    """A target, from cells to numbers."""

    def encode(self, table: Table) -> tuple[np.ndarray, np.ndarray]:
        """Targets (n, ...) and which rows are labelled, (n,) bool; a class that train never saw is -1."""
        ...
