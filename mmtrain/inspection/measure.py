"""How large pictures are, and how long texts, sounds and series, before any is cut."""

import copy
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from mmtrain.data.encode import encode_chunks
from mmtrain.data.store import gather
from mmtrain.inspection.rows import Rows
from mmtrain.modality import Modality
from mmtrain.modality.cell import UnreadableError, encoded_file, filled_cells
from mmtrain.source import TRAIN
from mmtrain.table import Table

LIMITS = {"max_length": "words", "max_seconds": "s", "max_steps": "steps"}  # options that cut, and what they count
CELLS, FILES = 2000, 200  # train rows that are measured
ENDLESS = 10**9


@dataclass(frozen=True)
class Measure:
    """Lengths of `looked` train rows in `unit`; `cut` of them exceed `limit`. Of pictures the shorter and the longer side are measured."""

    modality: str
    unit: str
    low: str
    middle: str
    high: str
    looked: int
    limit: str = ""
    cut: int = 0

    @property
    def line(self) -> str:
        """In one line."""
        spread = f"all {self.low}" if self.low == self.high else f"from {self.low} to {self.high}, median {self.middle}"
        cut = f"; {self.limit} cuts {self.cut:,} of {self.looked:,} looked at" if self.cut else ""
        return f"{self.modality}: {spread} {self.unit}{cut}"


def measures(rows: Rows) -> list[Measure]:
    """Of every modality that has a size or a length."""
    found = [_measure(name, modality, rows) for name, modality in rows.data.modalities.items()]
    return [measure for measure in found if measure is not None]


def _measure(name: str, modality: Modality, rows: Rows) -> Measure | None:
    table = rows.table(TRAIN, most=FILES if modality.files else CELLS)
    if modality.kind == "image":
        return _picture_sizes(name, modality.columns[0], table)
    option = next((option for option in LIMITS if hasattr(modality, option)), None)
    if option is None:
        return None
    limit = getattr(modality, option)
    relaxed: Any = copy.copy(modality)
    setattr(relaxed, option, ENDLESS)
    store = gather(encode_chunks(relaxed, table, lambda _: None))
    there = np.flatnonzero(store.present)
    if not len(there):
        return None
    lengths = relaxed.collate(store.arrays, there).mask.sum(1).numpy() / (relaxed.sample_rate if option == "max_seconds" else 1)
    low, middle, high = (f"{length:,.4g}" for length in np.quantile(lengths, [0, 0.5, 1]))
    return Measure(name, LIMITS[option], low, middle, high, len(there), f"{option}={limit:g}", int((lengths > limit).sum()))


def _picture_sizes(name: str, column: str, table: Table) -> Measure | None:
    sizes = []
    for _, cell in filled_cells(table, column):
        with suppress(UnreadableError, OSError, ValueError), Image.open(encoded_file(table, cell)) as picture:  # told elsewhere
            sizes.append(picture.size)
    if not sizes:
        return None
    sizes.sort(key=lambda size: size[0] * size[1])
    low, middle, high = (f"{width} x {height}" for width, height in (sizes[0], sizes[len(sizes) // 2], sizes[-1]))
    return Measure(name, "pixels", low, middle, high, len(sizes))
