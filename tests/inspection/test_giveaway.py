"""Columns that tell a target, against planted ones."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from mmtrain.assembly import data_parts
from mmtrain.config import load
from mmtrain.inspection import Giveaway, Rows, giveaways
from mmtrain.inspection.giveaway import BINS, ROWS, _codes
from mmtrain.table import Table

COUNT = 1000
RANDOM = np.random.default_rng(0)

YAML = """
# @package _global_
defaults:
  - /source@data: table
  - /modality@data.modalities.facts: tabular
  - /modality@data.modalities.words: text
  - /task@tasks.label: classification
  - /task@tasks.amount: regression
  - _self_
data:
  name: planted
  root: {root}
  train: train.parquet
  val_fraction: 0.2
  modalities:
    facts: {{numeric: [copy, noise, curve], categorical: [code, often, rare]}}
    words: {{column: text}}
tasks:
  label: {{column: label}}
  amount: {{column: amount}}
"""


def planted(count: int = COUNT) -> pl.DataFrame:
    label = RANDOM.choice(["a", "b", "c"], count, p=[0.6, 0.3, 0.1])
    amount = RANDOM.normal(size=count)
    wrong = RANDOM.random(count)
    return pl.DataFrame(
        {
            "label": label,
            "amount": amount,
            "copy": amount * 3 + 1,
            "curve": np.square(amount - 5),
            "noise": RANDOM.normal(size=count),
            "code": np.where(wrong < 0.1, "x", "code " + label.astype(object)),
            "often": np.where(wrong < 0.5, "x", "code " + label.astype(object)),
            "rare": RANDOM.choice(list("pqr"), count),
            "text": [f"it is {word}" if share > 0.02 else None for word, share in zip(label, wrong, strict=True)],
        }
    )


def test_numbers_are_read_as_the_table_writes_them() -> None:
    cells = [f"{row},5" for row in range(COUNT)]
    half = np.arange(COUNT)
    commas = _codes(Table(pl.DataFrame({"x": cells}), "rows.csv", half, decimal=","), "x", half)
    points = _codes(Table(pl.DataFrame({"x": half + 0.5}), "rows.csv", half), "x", half)
    assert len(set(commas)) == BINS
    assert commas.tolist() == points.tolist()


def found(frame: pl.DataFrame, folder: Path) -> dict[tuple[str, str], Giveaway]:
    from mmtrain.data import prepare
    from mmtrain.data.prepare import limited

    frame.write_parquet(folder / "train.parquet")
    (folder / "data").mkdir(exist_ok=True)
    (folder / "data" / "planted.yaml").write_text(YAML.format(root=folder).lstrip())
    parts = data_parts(load(["data=planted", f"data.cache={folder}"], folder).config)
    data = prepare(parts.source, parts.settings, parts.modalities, parts.tasks, progress=False)
    return {(giveaway.column, giveaway.task): giveaway for giveaway in giveaways(Rows(data, limited(parts.source.tables(), None)))}


def test_planted_columns_are_found_and_no_others(tmp_path: Path) -> None:
    given = found(planted(), tmp_path)
    assert set(given) == {("code", "label"), ("text", "label"), ("copy", "amount"), ("curve", "amount")}
    assert next(iter(given)) in {("text", "label"), ("copy", "amount")}  # the most telling first
    code = given["code", "label"]
    assert code.score == pytest.approx(0.9 + 0.1 * 0.6, abs=0.04)  # where it says nothing, the commonest label is right
    assert code.constant == pytest.approx(0.6, abs=0.05)
    assert (
        code.line
        == f"column 'code' alone predicts 'label' at {code.score:.2f} (constant {code.constant:.2f}): does it give the answer away?"
    )
    copy = given["copy", "amount"]
    assert copy.score > 0.95
    assert copy.line == f"column 'copy' alone explains {copy.score:.2f} of the variance of 'amount': does it give the answer away?"


def test_too_few_rows_say_nothing(tmp_path: Path) -> None:
    assert found(planted(60), tmp_path) == {}


def test_numbers_as_text_and_missing_ones(tmp_path: Path) -> None:
    frame = planted().with_columns(pl.when(pl.int_range(COUNT) % 2 > 0).then(pl.col("copy")).cast(pl.String))
    assert ("copy", "amount") not in found(frame, tmp_path)  # half of it is missing, and the rest explains too little
    filled = frame.with_columns(pl.col("amount").cast(pl.String).alias("copy"))
    assert ("copy", "amount") in found(filled, tmp_path)


def test_only_some_rows_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ROWS > COUNT
    monkeypatch.setattr("mmtrain.inspection.giveaway.ROWS", 300)
    assert ("text", "label") in found(planted(), tmp_path)
