"""A small table of one's own, with its pictures and its YAML, to be spoiled in every way."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from mmtrain.cli import main

CONFIG = """\
# @package _global_
# A table of one's own.
defaults:
  - /source@data: table
  - /modality@data.modalities.picture: image
  - /modality@data.modalities.words: text
  - /modality@data.modalities.facts: tabular
  - /task@tasks.kind: classification
  - /task@tasks.fresh: binary
  - /task@tasks.price: regression
  - _self_
data:
  name: own
  root: {root}
  train: train.csv
  val: val.csv
  test: test.csv
  id: id
  modalities:
    picture: {{column: image, height: 8, width: 8}}
    words: {{column: name}}
    facts: {{numeric: [size]}}
tasks:
  kind: {{column: kind}}
  fresh: {{column: fresh}}
  price: {{column: price}}
"""

Cells = dict[str, list[str | None]]


def cells(rows: int) -> Cells:
    """Every column as text; row r is of kind `r % 3`, fresh every second time, and costs r / 2."""
    numbers = range(rows)
    return {
        "id": [f"row{row}" for row in numbers],
        "image": [f"pictures/{row}.png" for row in numbers],
        "name": [f"a word{row % 3}" for row in numbers],
        "size": [str(10 * row) for row in numbers],
        "kind": [("apple", "pear", "plum")[row % 3] for row in numbers],
        "fresh": [("yes", "no")[row % 2] for row in numbers],
        "price": [str(row / 2) for row in numbers],
    }


@dataclass
class Own:
    """The table's folder: `train.csv` (24 rows), `val.csv` and `test.csv` (12 each), `pictures/`; and `configs/data/own.yaml`."""

    folder: Path
    configs: Path
    run: Path
    rows: dict[str, int] = field(default_factory=lambda: {"train": 24, "val": 12, "test": 12})

    def write(self, file: str, columns: Cells) -> Path:
        """Put a CSV in the folder."""
        pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String)).write_csv(self.folder / file)
        return self.folder / file

    def spoil(self, split: str, column: str, changed: dict[int, str | None]) -> None:
        """Write the split's file anew, with other cells in one column."""
        columns = cells(self.rows[split])
        columns[column] = [changed.get(row, cell) for row, cell in enumerate(columns[column])]
        self.write(f"{split}.csv", columns)

    def edit(self, old: str, new: str) -> None:
        """Put `new` in the place of the one `old` in the YAML."""
        file = self.configs / "data" / "own.yaml"
        text = file.read_text()
        assert text.count(old) == 1
        file.write_text(text.replace(old, new))

    def words(self, *overrides: str, command: str = "train") -> list[str]:
        """A command on this table: two steps, into `run`."""
        quick = ["training.steps=2", "training.batch_size=12", "training.threads=1", "tracker=nothing"]
        return [command, "data=own", f"--config-dir={self.configs}", *quick, f"hydra.run.dir={self.run}", *overrides]


@pytest.fixture
def own(tmp_path: Path) -> Own:
    """A table with which nothing is wrong yet."""
    found = Own(tmp_path / "data", tmp_path / "configs", tmp_path / "run")
    (found.folder / "pictures").mkdir(parents=True)
    for row in range(24):
        Image.fromarray(np.full((8, 8, 3), 10 * row, np.uint8)).save(found.folder / "pictures" / f"{row}.png")
    (found.configs / "data").mkdir(parents=True)
    (found.configs / "data" / "own.yaml").write_text(CONFIG.format(root=found.folder))
    for split, rows in found.rows.items():
        found.write(f"{split}.csv", cells(rows))
    return found


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Callable[[Sequence[str]], list[str]]:
    """Run a command that has to be refused: exit code 2, a line a mistake, nothing else, and no run begun. Gives the lines, without `error: `."""

    def refuse(words: Sequence[str]) -> list[str]:
        capsys.readouterr()
        before = sorted(tmp_path.rglob("*"))
        assert main(words) == 2
        out, err = capsys.readouterr()
        assert out == ""
        lines = err.splitlines()
        assert lines
        assert all(line.startswith("error: ") for line in lines), err
        assert sorted(tmp_path.rglob("*")) == before
        return [line.removeprefix("error: ") for line in lines]

    return refuse
