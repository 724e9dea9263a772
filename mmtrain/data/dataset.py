"""Rows of one split, as batches."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from mmtrain.batch import FUSED, Batch
from mmtrain.data.ahead import ahead
from mmtrain.data.live import Live
from mmtrain.data.store import Store
from mmtrain.data.target import Target
from mmtrain.modality import Modality

ALL = slice(None)
AHEAD = 2  # batches that are made while one is used, where making them takes decoding


@dataclass(frozen=True)
class Dataset:
    """`positions` are the split's rows in the stores; targets and `ids` are in the split's own order.

    `notes` say what the user should know of these rows. With `whole_rows` one that lacks a modality enters no loss.
    """

    modalities: Mapping[str, Modality]
    stores: Mapping[str, Store | Live]
    positions: np.ndarray
    encoded: Mapping[str, Target]
    ids: list[str]
    notes: Sequence[str] = ()
    whole_rows: bool = False

    def __len__(self) -> int:
        return len(self.positions)

    @property
    def present(self) -> dict[str, np.ndarray]:
        """Which rows have each modality; decoded on the fly, one whose file turns out to be broken counts here, but not in a batch."""
        return {name: store.present[self.positions] for name, store in self.stores.items()}

    @property
    def targets(self) -> dict[str, np.ndarray]:
        """Encoded targets of every row under the task's name, 0 where not labelled, -1 for a class that train never saw."""
        return {name: target.values for name, target in self.encoded.items()}

    @property
    def labelled(self) -> dict[str, np.ndarray]:
        """Which rows have a label, under the task's name."""
        return {name: target.labelled for name, target in self.encoded.items()}

    @property
    def answerable(self) -> np.ndarray:
        """Which rows can be predicted from what they have, (n,) bool; all others get the task's prior."""
        return self._answerable(self.present)

    def batch(self, rows: np.ndarray) -> Batch:
        """The rows with these numbers, on the host; one gather a modality.

        Raises:
            DataError: a cell that is decoded on the fly cannot be read, and `data.on_bad` is `error`.
        """
        places = self.positions[rows]
        found = {name: store.at(places) for name, store in self.stores.items()}
        present = {name: there.present for name, there in found.items()}
        answerable = self._answerable(present)
        views = {FUSED: answerable} | {name: there & answerable for name, there in present.items()}
        usable = {name: target.usable[rows] for name, target in self.encoded.items()}
        return Batch(
            inputs={name: modality.collate(found[name].arrays, found[name].places) for name, modality in self.modalities.items()},
            present=_tensors(present),
            index=_tensors({name: np.flatnonzero(mask) for name, mask in present.items()}),
            targets=_tensors({name: target.values[rows] for name, target in self.encoded.items()}),
            labelled=_tensors({name: target.labelled[rows] for name, target in self.encoded.items()}),
            scored={name: _tensors({view: np.flatnonzero(mask & there) for view, there in views.items()}) for name, mask in usable.items()},
            rows=torch.from_numpy(np.asarray(rows, np.int64)),
        )

    def _answerable(self, present: Mapping[str, np.ndarray]) -> np.ndarray:
        masks = list(present.values())
        return np.logical_and.reduce(masks) if self.whole_rows else np.logical_or.reduce(masks)


def batches(dataset: Dataset, size: int, *, order: np.ndarray | None = None, skip: int = 0, share: slice = ALL) -> Iterator[Batch]:
    """Rows `size` at a time; the last batch may be smaller.

    `order` holds the numbers of the rows, some perhaps several times, as a sampler gives them; by default it is every row once, in
    the split's own order. The first `skip` batches, which an interrupted epoch has seen, are left out without being read. Of each
    batch only the `share` is given, perhaps no row. Where
    a modality is decoded on the fly, a thread makes the next batches meanwhile; it ends when the iterator is exhausted or closed.
    """
    order = np.arange(len(dataset)) if order is None else order
    parts = (order[start : start + size][share] for start in range(skip * size, len(order), size))
    if any(isinstance(store, Live) for store in dataset.stores.values()):
        yield from ahead(dataset.batch, parts, threads=1, count=AHEAD)
    else:
        yield from map(dataset.batch, parts)


def _tensors(arrays: Mapping[str, np.ndarray]) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(array) for name, array in arrays.items()}
