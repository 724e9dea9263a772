"""Two handwritten digits in one picture: a classic of several tasks."""

import gzip
import zlib
from pathlib import Path
from typing import Annotated, ClassVar

import numpy as np
import polars as pl
from jaxtyping import UInt8

from mmtrain.errors import DataError, Problem
from mmtrain.option import Count, Range
from mmtrain.source.splits import TEST, TRAIN, VAL, Splits
from mmtrain.table import Table

SIDE, CANVAS, OFFSET, SHIFT = 28, 36, 1, 6  # pixels of a digit, of both; where the first begins, and how much further on the second
FILES = {TRAIN: "train", TEST: "t10k"}
IMAGES, LABELS = 0x803, 0x801  # first four bytes of the IDX format


class MultiMNIST:
    """Pairs of digits of MNIST, the second a little lower and to the right of the first, of which each is to be read (`left`, `right`).

    Every digit of MNIST's train part comes first in one picture of `train` or `val`, beside another of the same split by `seed`, and
    every digit of its test part in one of `test`. Both lie on 36 x 36 pixels, the second 6 pixels lower and to the right, the lighter
    pixel where they overlap, brought to 28 x 28 pixels by taking the nearest. `val` pictures are kept from train, the last ones.

    `root` holds MNIST's four files as they are published (`train-images-idx3-ubyte.gz` and so on).

    Source: Sabour et al. 2017, section 6 (MultiMNIST); this smaller form: Sener and Koltun 2018, section 5.1.
    """

    columns: ClassVar[list[str]] = ["id", "picture", "left", "right"]

    def __init__(self, *, root: str, val: Count = 10_000, seed: Annotated[int, Range(0)] = 0) -> None:
        self.root, self.val, self.seed = Path(root).expanduser(), val, seed

    def tables(self) -> Splits:
        """Read the digits and lay them over each other.

        Raises:
            DataError: a file is not there or is none of MNIST's, or `val` leaves nothing for train.
        """
        digits = {part: self._digits(name) for part, name in FILES.items()}
        pictures, labels = digits[TRAIN]
        cut = len(labels) - self.val
        if cut < 1:
            raise DataError(Problem("data.val", f"{self.val} of {len(labels)} digits are kept from train", "keep fewer"))
        parts = {TRAIN: (pictures[:cut], labels[:cut]), VAL: (pictures[cut:], labels[cut:]), TEST: digits[TEST]}
        tables = {split: self._table(split, number, *part) for number, (split, part) in enumerate(parts.items())}
        rows = {split: (split, np.arange(len(table))) for split, table in tables.items()}
        return Splits(tables, rows, {split: table.frame["id"].to_list() for split, table in tables.items()})

    def _digits(self, name: str) -> tuple[UInt8[np.ndarray, "n 28 28"], UInt8[np.ndarray, " n"]]:
        pictures, labels = self._read(f"{name}-images-idx3-ubyte.gz", IMAGES, 16), self._read(f"{name}-labels-idx1-ubyte.gz", LABELS, 8)
        if len(pictures) != len(labels) * SIDE * SIDE:
            found = f"'{name}' has {len(labels)} labels, and pixels of {len(pictures) / SIDE**2:g} pictures"
            raise DataError(Problem("data.root", found, "name the folder with MNIST's four files"))
        return pictures.reshape(-1, SIDE, SIDE), labels

    def _read(self, name: str, magic: int, header: int) -> UInt8[np.ndarray, " n"]:
        """The bytes behind a file's header."""
        path = self.root / name
        try:
            content = gzip.decompress(path.read_bytes())
        except (OSError, EOFError, zlib.error) as error:
            found = f"'{path}' cannot be read: {getattr(error, 'strerror', None) or error}"
            raise DataError(Problem("data.root", found, "name the folder with MNIST's four files")) from error
        if int.from_bytes(content[:4], "big") != magic:
            raise DataError(Problem("data.root", f"'{path}' is no such file of MNIST", "name the folder with MNIST's four files"))
        return np.frombuffer(content, np.uint8, offset=header)

    def _table(self, split: str, stream: int, pictures: np.ndarray, labels: np.ndarray) -> Table:
        rows = len(labels)
        others = np.random.default_rng([self.seed, stream]).permutation(rows)
        cells = [f"P5 {SIDE} {SIDE} 255\n".encode() + picture.tobytes() for picture in overlaid(pictures, pictures[others])]  # Netpbm
        frame = {
            "id": [f"{split}-{row:05d}" for row in range(rows)],
            "picture": cells,
            "left": labels.astype(str).tolist(),
            "right": labels[others].astype(str).tolist(),
        }
        return Table(pl.DataFrame(frame), f"multi_mnist/{split}", np.arange(1, rows + 1))


def overlaid(left: UInt8[np.ndarray, "n 28 28"], right: UInt8[np.ndarray, "n 28 28"]) -> UInt8[np.ndarray, "n 28 28"]:
    """Both digits in one picture."""
    canvas = np.zeros((len(left), CANVAS, CANVAS), np.uint8)
    for digits, start in ((left, OFFSET), (right, OFFSET + SHIFT)):
        window = canvas[:, start : start + SIDE, start : start + SIDE]
        np.maximum(window, digits, out=window)
    nearest = ((np.arange(SIDE) + 0.5) * CANVAS / SIDE).astype(int)
    return canvas[:, nearest[:, None], nearest]
