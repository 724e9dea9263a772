"""A folder with a small table of pictures, words and numbers, and the parts that read it."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from PIL import Image

from mmtrain.data import Settings
from mmtrain.loss import Absolute, CrossEntropy
from mmtrain.modality import ImageModality, TabularModality, TextModality
from mmtrain.source import TableSource
from mmtrain.table import Table
from mmtrain.task import Classification, Regression


@pytest.fixture
def make_table() -> Callable[..., Table]:
    """A table of cells from columns, as if read from `rows.csv`."""

    def make(columns: dict[str, Any], root: Path | None = None, file: str = "rows.csv") -> Table:
        frame = pl.DataFrame(columns)
        return Table(frame, file, np.arange(1, frame.height + 1), root)

    return make


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """`train.csv`, `val.csv` and `test.csv` of six rows each; picture n is one shade, n, all over."""
    root = tmp_path / "data"
    root.mkdir()
    for number, split in enumerate(("train", "val", "test")):
        shades = range(10 * number, 10 * number + 6)
        for shade in shades:
            Image.new("L", (4, 4), shade).save(root / f"{shade}.png")
        columns = {
            "id": [f"{split}{shade}" for shade in shades],
            "picture": [f"{shade}.png" for shade in shades],
            "words": [f"word{row % 3} {split}only {split}only" for row in range(6)],
            "size": [str(shade) for shade in shades],
            "label": ["a", "b", "a", "b", "a", "b"],
        }
        pl.DataFrame(columns).write_csv(root / f"{split}.csv")
    return root


@pytest.fixture
def source(folder: Path) -> TableSource:
    return TableSource(root=str(folder), train="train.csv", val="val.csv", test="test.csv", id="id")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings("small", cache=str(tmp_path / "cache"))


@pytest.fixture
def make_modalities() -> Callable[[], dict[str, Any]]:
    """New modalities, not fitted yet."""
    return lambda: {
        "picture": ImageModality(column="picture", height=2, width=2, channels=1),
        "words": TextModality(column="words", min_count=1),
        "facts": TabularModality(numeric=["size"], categorical=["words"]),
    }


@pytest.fixture
def make_tasks() -> Callable[[], dict[str, Any]]:
    """New tasks, not fitted yet."""
    return lambda: {
        "label": Classification("label", column="label", loss=partial(CrossEntropy)),
        "size": Regression("size", column="size", loss=partial(Absolute)),
    }
