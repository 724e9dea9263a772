"""Two modalities of one kind, such as a front and a back photo: each has its own encoder, store and presence."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

import mmtrain
from mmtrain.cli import main

DATA = """# @package _global_
# Things with two photos.
defaults:
  - /source@data: table
  - /modality@data.modalities.front: image
  - /modality@data.modalities.back: image
  - /task@tasks.colour: classification
  - /task@tasks.same: binary
  - _self_
data:
  name: things
  train: train.csv
  val: train.csv
  modalities:
    front: {column: front, height: 8, width: 8}
    back: {column: back, height: 12, width: 8, channels: 1}
tasks:
  colour: {column: colour}
  same: {column: same}
"""


@pytest.fixture
def things(tmp_path: Path) -> Path:
    """32 rows; the third row has no back, the fourth no front."""
    rng = np.random.default_rng(0)
    rows = []
    for row in range(32):
        shades = rng.integers(0, 2, 2)
        for side, shade in zip(("front", "back"), shades, strict=True):
            Image.new("RGB", (8, 8), (255 * int(shade), 0, 0)).save(tmp_path / f"{side}{row}.png")
        names = {side: f"{side}{row}.png" for side in ("front", "back")}
        rows.append(names | {"colour": "red" if shades[0] else "black", "same": "yes" if shades[0] == shades[1] else "no"})
    rows[2]["back"], rows[3]["front"] = "", ""
    pl.DataFrame(rows).write_csv(tmp_path / "train.csv")
    folder = tmp_path / "my" / "data"
    folder.mkdir(parents=True)
    (folder / "things.yaml").write_text(DATA)
    return tmp_path


def test_each_has_an_encoder_of_its_own(things: Path) -> None:
    run = things / "run"
    words = ["--config-dir", str(things / "my"), "data=things", f"data.root={things}", f"data.cache={things / 'cache'}"]
    words += ["encoder/image@encoder.back=cnn", "encoder.back.channels=4", "encoder.image.channels=2", "training.epochs=1"]
    assert main(["train", *words, f"hydra.run.dir={run}"]) == 0
    trained = mmtrain.load(run)
    first = {name: trained.model.encoder[name].layers[0][0].weight.shape[:2] for name in ("front", "back")}
    assert first == {"front": (2, 3), "back": (4, 1)}
    answers = trained.predict(things / "train.csv")
    assert len(answers) == 32
    assert np.isfinite(answers["colour.confidence"].to_numpy()).all()
