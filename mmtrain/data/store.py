"""Encoded rows of one modality: memory-mapped arrays in a folder, or arrays in memory.

A folder of a store holds `present.npy`, `<name>.npy` for rows of one shape, `<name>.values.npy` with `<name>.offsets.npy` for rows
of any length, and `store.json`, which lists them. It is complete from the moment it has its final name.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mmtrain.data.encode import Chunk
from mmtrain.data.npy import Growing
from mmtrain.data.settings import Settings
from mmtrain.errors import DataError, Problem

LISTING = "store.json"
SHOWN = 10  # of the cells that could not be read, so many are kept by name


@dataclass(frozen=True)
class Fixed:
    """Rows of one shape, (n, ...)."""

    values: np.ndarray

    def take(self, rows: np.ndarray) -> np.ndarray:
        """The rows at these positions, (K, ...), as an array of its own."""
        return self.values[rows]


@dataclass(frozen=True)
class Ragged:
    """Vectors of any length, end to end: row r is `values[offsets[r] : offsets[r + 1]]`."""

    values: np.ndarray
    offsets: np.ndarray

    def pad(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The rows at these positions, padded with 0 to the longest of them, (K, L), and which places are filled, (K, L) bool."""
        starts, lengths = self.offsets[rows], self.offsets[rows + 1] - self.offsets[rows]
        longest = int(lengths.max(initial=0))
        padded = np.zeros((len(rows), longest), self.values.dtype)
        # One copy a row beats a single gather by index several times over: sounds are long, and indices cost eight bytes a sample.
        for place, start, length in zip(padded, starts.tolist(), lengths.tolist(), strict=True):
            place[:length] = self.values[start : start + length]
        return padded, np.arange(longest) < lengths[:, None]


class Rows(NamedTuple):
    """Rows at hand: they stand at `places` (K,) of `arrays`; `present` (K,) says which of them have the modality."""

    arrays: Mapping[str, Fixed | Ragged]
    places: np.ndarray
    present: np.ndarray


@dataclass(frozen=True)
class Store:
    """`present` (n,) says which rows the modality has; `bad` counts the cells that could not be read, `problems` holds the first.

    `folder` is None where the rows are in memory only.
    """

    arrays: Mapping[str, Fixed | Ragged]
    present: np.ndarray
    bad: int
    problems: tuple[Problem, ...]
    folder: Path | None = None

    def __len__(self) -> int:
        return len(self.present)

    def at(self, rows: np.ndarray) -> Rows:
        """The rows at these positions."""
        return Rows(self.arrays, rows, self.present[rows])


def gather(chunks: Iterable[Chunk]) -> Store:
    """Keep encoded rows in memory."""
    kept = list(chunks)
    arrays: dict[str, Fixed | Ragged] = {}
    for name, first in kept[0].arrays.items():
        parts = [chunk.arrays[name] for chunk in kept]
        values = np.concatenate([_flat(part) for part in parts])
        ragged = isinstance(first, list)
        arrays[name] = Ragged(values, _offsets([len(row) for part in parts for row in part])) if ragged else Fixed(values)
    problems = [problem for chunk in kept for problem in chunk.bad]
    return Store(arrays, np.concatenate([chunk.present for chunk in kept]), len(problems), tuple(problems[:SHOWN]))


def write(chunks: Iterable[Chunk], folder: Path) -> None:
    """Write encoded rows into a folder, chunk by chunk."""
    rest = iter(chunks)
    first = next(rest)
    ragged = {name: list[int]() for name, rows in first.arrays.items() if isinstance(rows, list)}
    present, problems = list[np.ndarray](), list[Problem]()
    with ExitStack() as stack:
        files = {
            name: stack.enter_context(Growing(_values_file(folder, name, name in ragged), _flat(rows)))
            for name, rows in first.arrays.items()
        }
        for chunk in chain([first], rest):
            for name, rows in chunk.arrays.items():
                files[name].append(_flat(rows))
            for name, lengths in ragged.items():
                lengths += map(len, chunk.arrays[name])
            present.append(chunk.present)
            problems += chunk.bad
    for name, lengths in ragged.items():
        np.save(folder / f"{name}.offsets.npy", _offsets(lengths))
    np.save(folder / "present.npy", np.concatenate(present))
    listing = {
        "arrays": {name: "ragged" if name in ragged else "fixed" for name in files},
        "bad": len(problems),
        "problems": [asdict(problem) for problem in problems[:SHOWN]],
    }
    (folder / LISTING).write_text(json.dumps(listing), "utf-8")


def read(folder: Path) -> Store:
    """Open a folder that `write` filled; values stay on disk until they are asked for."""
    listing = json.loads((folder / LISTING).read_text("utf-8"))
    arrays: dict[str, Fixed | Ragged] = {}
    for name, shape in listing["arrays"].items():
        # A plain view of the mapped file: indexing numpy's own class for it costs several microseconds more.
        values = np.asarray(np.load(_values_file(folder, name, shape == "ragged"), mmap_mode="r"))
        arrays[name] = Fixed(values) if shape == "fixed" else Ragged(values, np.load(folder / f"{name}.offsets.npy"))
    problems = tuple(Problem(**problem) for problem in listing["problems"])
    return Store(arrays, np.load(folder / "present.npy"), listing["bad"], problems, folder)


def refuse_bad(bad: int, problems: Sequence[Problem], settings: Settings) -> None:
    """Raise the problems of cells that cannot be read, `bad` in number, unless such cells are to count as absent."""
    if bad and settings.on_bad == "error":
        total = Problem("data", f"cells that cannot be read: {bad}, the first are named above", "mend them, or set data.on_bad=absent")
        raise DataError(*problems, total)


def _values_file(folder: Path, name: str, ragged: bool) -> Path:
    return folder / (f"{name}.values.npy" if ragged else f"{name}.npy")


def _flat(rows: np.ndarray | list[np.ndarray]) -> np.ndarray:
    return np.concatenate(rows) if isinstance(rows, list) else rows


def _offsets(lengths: list[int]) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
