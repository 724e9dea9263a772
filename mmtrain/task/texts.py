"""Cells that are texts to be written, and the constant answer to them."""

import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Shaped

from mmtrain.errors import DataError, Problem
from mmtrain.table import Table
from mmtrain.task.labels import unlabelled


def read_texts(table: Table, column: str, *, casefold: bool, spelling: Mapping[str, str] | None = None) -> list[str | None]:
    """The cells, NFC-normalised, without upper case under `casefold`, their words parted by one blank each; None where there is no letter.

    `spelling` gives the texts that stand for cells.
    """
    spelling = spelling or {}
    return [plain(spelling.get(cell, cell), casefold=casefold) or None if cell is not None else None for cell in table.text(column)]


def plain(text: str, *, casefold: bool = False) -> str:
    """One blank between words, none around them; NFC."""
    return unicodedata.normalize("NFC", " ".join((text.casefold() if casefold else text).split()))


def count_texts(task: str, column: str, table: Table, texts: Sequence[str | None]) -> dict[str, int]:
    """How many rows have each text, in the order of the texts.

    Raises:
        DataError: no row has one, or all have the same.
    """
    counts = Counter(text for text in texts if text is not None)
    if len(counts) < 2:
        alike = f"all {counts.total()} texts of column '{column}' in train are "
        found = f"{alike}'{next(iter(counts))}'" if counts else unlabelled(column, table)
        raise DataError(Problem(f"tasks.{task}", found, "two different texts are the least that there is something to learn from"))
    return {text: counts[text] for text in sorted(counts)}


def as_array(texts: Sequence[Any]) -> Shaped[np.ndarray, " n"]:
    """Texts, or what else a row has, as numpy holds them: (n,) of objects."""
    found = np.empty(len(texts), dtype=object)
    found[:] = texts
    return found


def padded(rows: Sequence[Sequence[int]], fill: int, *, width: int = 1) -> np.ndarray:
    """Rows of whole numbers, filled up to the longest, or to `width`: (n, L) int64."""
    found = np.full((len(rows), max([width, *map(len, rows)])), fill, np.int64)
    for place, row in enumerate(rows):
        found[place, : len(row)] = row
    return found
