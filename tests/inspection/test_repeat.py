"""Rows of train that stand in val or test, too."""

import tracemalloc
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from PIL import Image

from mmtrain.assembly import data_parts
from mmtrain.config import load
from mmtrain.data import prepare
from mmtrain.data.prepare import limited
from mmtrain.data.store import Fixed, Ragged
from mmtrain.inspection import Repeats, Rows, repeat, repeats

YAML = """
# @package _global_
defaults:
  - /source@data: table
  - /modality@data.modalities.picture: image
  - /modality@data.modalities.words: text
  - /task@tasks.label: classification
  - _self_
data:
  name: repeated
  root: {root}
  train: rows.parquet
  split_column: part
  id: id
  modalities:
    picture: {{column: picture, height: 4, width: 4}}
    words: {{column: [text, more]}}
tasks:
  label: {{column: label}}
"""


def picture(red: int, kind: str = "png") -> bytes:
    file = BytesIO()
    Image.new("RGB", (4, 4), (red, 0, 0)).save(file, kind)
    return file.getvalue()


def row(part: str, name: str, red: int | None, text: str | None, more: str | None = None, kind: str = "png") -> dict[str, Any]:
    content = None if red is None else picture(red, kind)
    return {"part": part, "id": name, "picture": content, "text": text, "more": more, "label": "ab"[len(name) % 2]}


def found(rows: list[dict[str, Any]], folder: Path, *words: str) -> list[Repeats]:
    schema = {"picture": pl.Binary, "more": pl.String}
    pl.DataFrame(rows, schema_overrides=schema).write_parquet(folder / "rows.parquet")
    (folder / "data").mkdir(exist_ok=True)
    (folder / "data" / "repeated.yaml").write_text(YAML.format(root=folder).lstrip())
    config = load(["data=repeated", f"data.cache={folder}", *words], folder).config
    parts = data_parts(config)
    data = prepare(parts.source, parts.settings, parts.modalities, parts.tasks, progress=False)
    return repeats(Rows(data, limited(parts.source.tables(), parts.settings.limit)))


TRAIN = [
    row("train", "t1", 10, "one"),
    row("train", "t22", 20, "two"),
    row("train", "t3", None, "three", "x"),
    row("train", "t4", 10, "one"),
]


@pytest.mark.parametrize("words", [(), ("data.cache_limit_gb=0.000000001",)])
def test_all_inputs_have_to_be_equal(tmp_path: Path, words: tuple[str, ...]) -> None:
    rows = [
        *TRAIN,
        row("val", "v1", 10, "two"),
        row("val", "v22", 20, "two"),
        row("val", "v3", 20, None),
        row("val", "v4", None, "three", "x"),
        row("val", "v5", 10, "one"),
        row("test", "s1", 10, "One"),
        row("test", "s22", None, "three"),
        row("test", "s3", None, "x", "three"),
    ]
    assert found(rows, tmp_path, *words) == [Repeats("val", 3, 5, [("v22", "t22"), ("v4", "t3"), ("v5", "t1")])]


def test_pictures_are_compared_as_the_model_sees_them(tmp_path: Path) -> None:
    [repeated] = found([*TRAIN, row("val", "v1", 20, "two", kind="bmp"), row("val", "v22", 21, "two")], tmp_path)
    assert repeated == Repeats("val", 1, 2, [("v1", "t22")])
    assert repeated.line == "val: 1 of 2 rows (50.0%) have the inputs of a train row: v1 = t22 of train"


def test_rows_without_any_input_are_no_repeats(tmp_path: Path) -> None:
    assert found([*TRAIN, row("train", "t5", None, None), row("val", "v1", None, None), row("val", "v22", 30, "x")], tmp_path) == []


def test_words_that_train_never_saw_differ(tmp_path: Path) -> None:
    """For the model all of them are the unknown word."""
    assert found([*TRAIN, row("train", "t5", None, "rare"), row("val", "v1", None, "other"), row("val", "v22", 30, "x")], tmp_path) == []


VECTORS = """
# @package _global_
defaults:
  - /source@data: table
  - /modality@data.modalities.place: tabular
  - /modality@data.modalities.feature: vector
  - /task@tasks.label: classification
  - _self_
data:
  name: typed
  root: {root}
  train: train.parquet
  val: val.parquet
  modalities:
    place: {{numeric: [place]}}
    feature: {{column: feature}}
tasks:
  label: {{column: label}}
"""


@pytest.mark.parametrize("words", [(), ("data.cache_limit_gb=0.000000001",)])
def test_numbers_are_equal_whatever_their_type(tmp_path: Path, words: tuple[str, ...]) -> None:
    labels = ["a", "b", "a"]
    pl.DataFrame({"place": [1, 2, 3], "feature": [[1, 0], [2, 1], [3, 3]], "label": labels}).write_parquet(tmp_path / "train.parquet")
    pl.DataFrame({"place": [2.0, 3.0, 1.5], "feature": [[2.0, 1.0], [3.0, 4.0], [1.0, 0.0]], "label": labels}).write_parquet(
        tmp_path / "val.parquet"
    )
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "typed.yaml").write_text(VECTORS.format(root=tmp_path).lstrip())
    config = load(["data=typed", f"data.cache={tmp_path}", *words], tmp_path).config
    parts = data_parts(config)
    data = prepare(parts.source, parts.settings, parts.modalities, parts.tasks, progress=False)
    [repeated] = repeats(Rows(data, parts.source.tables()))
    assert (repeated.split, repeated.count) == ("val", 1)


def test_a_store_is_hashed_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(0).integers(0, 9, (2000, 512)).astype(np.float32)
    arrays: dict[str, Fixed | Ragged] = {"values": Fixed(values), "more": Ragged(values.ravel(), 512 * np.arange(2001))}
    tracemalloc.start()
    keys = repeat._of_arrays(arrays, np.array([*range(2000), 700]))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert keys[2000] == keys[700]
    assert len(set(keys.tolist())) == 2000
    assert peak < values.nbytes
    monkeypatch.setattr(repeat, "ROWS", 7)
    assert (repeat._of_arrays(arrays, np.array([*range(2000), 700])) == keys).all()
