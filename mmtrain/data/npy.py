"""A `.npy` file that grows row by row, so that a store never has to fit into memory."""

from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.lib import format as npy


class Growing:
    """Write arrays of one dtype and one row shape, one after the other, into a file that `numpy.load` reads as one array.

    numpy leaves room in the header for the number of rows to grow, so it is written once more when the file is closed.
    """

    def __init__(self, path: Path, like: np.ndarray) -> None:
        self.like, self.rows = like[:0], 0
        self.file = path.open("wb")
        self._write_header()
        self.start = self.file.tell()

    def append(self, rows: np.ndarray) -> None:
        """Add rows (n, ...)."""
        assert rows.dtype == self.like.dtype and rows.shape[1:] == self.like.shape[1:], f"{rows.dtype} {rows.shape} after {self.like.dtype}"
        self.file.write(np.ascontiguousarray(rows).data)
        self.rows += len(rows)

    def __enter__(self) -> "Growing":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with self.file:
            self.file.seek(0)
            self._write_header()
            assert self.file.tell() == self.start

    def _write_header(self) -> None:
        facts = npy.header_data_from_array_1_0(self.like) | {"shape": (self.rows, *self.like.shape[1:]), "fortran_order": False}
        npy.write_array_header_1_0(self.file, facts)
