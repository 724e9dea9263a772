"""A small table of one's own, with its pictures, its sounds and its YAML, to be spoiled in every way."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import soundfile
from PIL import Image

from mmtrain.cli import main

ROWS = {"train": 24, "val": 12, "test": 12}
CONFIG = """\
# @package _global_
# A table of one's own.
defaults:
  - /source@data: table
  - /modality@data.modalities.picture: image
  - /modality@data.modalities.tone: audio
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
    tone: {{column: sound, sample_rate: 4000}}
    words: {{column: name}}
    facts: {{numeric: [size]}}
tasks:
  kind: {{column: kind}}
  fresh: {{column: fresh}}
  price: {{column: price}}
"""

Cells = Sequence[str | None]
Refused = Callable[[Sequence[str]], list[str]]


@dataclass
class Own:
    """A folder with `train.csv`, `val.csv`, `test.csv` and their files, a folder with `data/own.yaml`, and the place of a run.

    Row r shows the shade 10 r, is of kind r modulo 3, fresh every second time, and costs r / 2.
    """

    folder: Path
    configs: Path
    run: Path

    def write(self, split: str, **changed: Cells | None) -> Path:
        """Write a split's CSV with other cells in some columns, or (None) without them."""
        numbers = range(ROWS[split])
        cells: dict[str, Cells | None] = {
            "id": [f"{split}{row}" for row in numbers],
            "image": [f"{row}.png" for row in numbers],
            "sound": [f"{row}.wav" for row in numbers],
            "name": [f"a word{row % 3}" for row in numbers],
            "size": [str(10 * row) for row in numbers],
            "kind": [("apple", "pear", "plum")[row % 3] for row in numbers],
            "fresh": [("yes", "no")[row % 2] for row in numbers],
            "price": [str(row / 2) for row in numbers],
        }
        columns = {name: column for name, column in (cells | changed).items() if column is not None}
        pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String)).write_csv(self.folder / f"{split}.csv")
        return self.folder / f"{split}.csv"

    def spoil(self, split: str, column: str, row: int, cell: str | None) -> None:
        """Write another cell into a split's CSV."""
        cells = pl.read_csv(self.folder / f"{split}.csv", infer_schema=False)[column].to_list()
        self.write(split, **{column: [cell if place == row else kept for place, kept in enumerate(cells)]})

    def edit(self, old: str, new: str) -> None:
        """Put `new` in the place of `old` in the YAML."""
        file = self.configs / "data" / "own.yaml"
        text = file.read_text()
        assert text.count(old) == 1
        file.write_text(text.replace(old, new))

    def words(self, *overrides: str, command: str = "train") -> list[str]:
        """A command on this table: two steps, into `run`."""
        quick = ["training.steps=2", "training.batch_size=12", "training.threads=1", "tracker=none"]
        return [command, "data=own", f"--config-dir={self.configs}", *quick, f"hydra.run.dir={self.run}", *overrides]


@pytest.fixture
def own(tmp_path: Path) -> Own:
    """A table with which nothing is wrong yet."""
    found = Own(tmp_path / "data", tmp_path / "configs", tmp_path / "run")
    found.folder.mkdir()
    for row in range(ROWS["train"]):
        Image.fromarray(np.full((16, 16), 10 * row, np.uint8)).save(found.folder / f"{row}.png", compress_level=0)
        soundfile.write(found.folder / f"{row}.wav", np.sin(np.arange(400) * (row + 1) / 50), 4000)
    (found.configs / "data").mkdir(parents=True)
    (found.configs / "data" / "own.yaml").write_text(CONFIG.format(root=found.folder))
    for split in ROWS:
        found.write(split)
    return found


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Refused:
    """Run a command that has to be refused: exit code 2, a line a mistake and nothing else, no file written.

    Gives the lines, without the `error: ` that each begins with.
    """

    def refuse(words: Sequence[str]) -> list[str]:
        capsys.readouterr()
        before = sorted(tmp_path.rglob("*"))
        assert main(words) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert all(line.startswith("error: ") for line in err.splitlines()), err
        assert sorted(tmp_path.rglob("*")) == before
        return [line.removeprefix("error: ") for line in err.splitlines()]

    return refuse
