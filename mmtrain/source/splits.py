"""What a source gives: tables of cells, and which of their rows make up train, val and test."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from mmtrain.table import Table

TRAIN, VAL, TEST = "train", "val", "test"


@dataclass(frozen=True)
class Splits:
    """`rows[split]` is the name of a table and the positions of the split's rows in it; `ids[table]` names every row.

    `train` and `val` always exist, `test` may be missing, and no split is empty. A table that is split by a column or by a
    fraction is one table with several row sets, so that its pictures are decoded and stored once.
    """

    tables: dict[str, Table]
    rows: dict[str, tuple[str, np.ndarray]]
    ids: dict[str, list[str]]


class Source(Protocol):
    """Anything that can say where rows come from."""

    def tables(self) -> Splits:
        """Read or make the rows.

        Raises:
            DataError: a file, a row or a split cannot be used.
        """
        ...
