"""What a modality is to the rest, and what it asks of the store."""

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np

from mmtrain.table import Table


@runtime_checkable
class Fixed(Protocol):
    """A stored array whose rows all have one shape."""

    def take(self, rows: np.ndarray) -> np.ndarray:
        """The rows at these positions, (K, ...)."""
        ...


@runtime_checkable
class Ragged(Protocol):
    """A stored array whose rows are vectors of any length."""

    def pad(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The rows at these positions, padded with 0 to the longest of them, (K, L), and which places are filled, (K, L) bool."""
        ...


@runtime_checkable
class Modality(Protocol):
    """A modality turns the cells of its columns into the inputs of an encoder of its kind.

    One that reads files may tell by `most_bytes` (int) how many a stored row has at most, once it is fitted; of any other, some rows
    are decoded to estimate whether a store would be too large. One may tell by `notes(stored, rows)`, which takes what `collate` takes,
    what the user should know of rows that are not train's.
    """

    kind: ClassVar[str]
    files: ClassVar[bool]  # whether a text cell is the path of a file; the store then depends on that file too

    @property
    def columns(self) -> list[str]:
        """The columns of the table that it reads."""
        ...

    @property
    def recipe(self) -> dict[str, Any]:
        """The options that `encode` depends on, as JSON can hold them; with the cells and the state they name the store."""
        ...

    @property
    def spec(self) -> Any:
        """What an encoder must know of the inputs; known after `fit` or `load_state`."""
        ...

    def fit(self, table: Table) -> None:
        """Learn from the train rows whatever `encode` needs."""
        ...

    def state(self) -> dict[str, Any]:
        """What `fit` learned, as JSON can hold it."""
        ...

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Restore what `state` gave."""
        ...

    def encode(self, table: Table) -> tuple[dict[str, np.ndarray | list[np.ndarray]], np.ndarray]:
        """Arrays for the store, and which rows have the modality, (n,) bool.

        An array leads with the rows; a list holds one vector a row. A cell that cannot be read is rejected and absent.
        """
        ...

    def collate(self, stored: Mapping[str, Any], rows: np.ndarray) -> Any:
        """The stored rows at these positions as host tensors; `stored` holds a `Fixed` or `Ragged` for each array of `encode`."""
        ...

    def __call__(self, inputs: Any) -> Any:
        """On the device: what `collate` gave, made ready for the encoder."""
        ...
