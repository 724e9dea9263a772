"""Every kind of task trains on a table in which labels are missing, and what stands beside a missing label changes nothing."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from mmtrain.cli import main

ROWS = 72
# What the number in `first` says of the row, and the options of the task that learns it.
KINDS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "ordinal": (
        {"answer": lambda first: ("low", "middle", "high")[int(first > -0.5) + int(first > 0.5)]},
        ["tasks.answer.column=answer", "tasks.answer.order=[low,middle,high]"],
    ),
    "multilabel": (
        {"answer": lambda first: [name for name, above in (("a", -0.5), ("b", 0.0), ("c", 0.5)) if first > above]},
        ["tasks.answer.column=answer"],
    ),
    "quantile": ({"answer": lambda first: f"{10 * first:.2f}"}, ["tasks.answer.column=answer", "tasks.answer.quantiles=[0.25,0.5,0.75]"]),
    "count": ({"answer": lambda first: str(int(np.exp(first)))}, ["tasks.answer.column=answer"]),
}


def table(cells: dict[str, Any]) -> pl.DataFrame:
    """Two columns of numbers; every fourth row has no label."""
    numbers = np.random.default_rng(0).normal(size=(ROWS, 2)).round(3)
    labels = {name: [None if row % 4 == 3 else cell(first) for row, first in enumerate(numbers[:, 0])] for name, cell in cells.items()}
    return pl.DataFrame({"first": numbers[:, 0], "second": numbers[:, 1], **labels})


@pytest.mark.parametrize("kind", KINDS)
def test_it_learns_where_labels_are_missing(kind: str, tmp_path: Path) -> None:
    cells, options = KINDS[kind]
    rows = table(cells)
    name = f"rows{'.jsonl' if any(dtype.is_nested() for dtype in rows.dtypes) else '.csv'}"
    rows.write_ndjson(tmp_path / name) if name.endswith("l") else rows.write_csv(tmp_path / name)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mine.yaml").write_text(
        "# @package _global_\n# Numbers.\ndefaults:\n  - /source@data: table\n  - /modality@data.modalities.facts: tabular\n"
        f"  - /task@tasks.answer: {kind}\n  - _self_\ndata:\n  name: mine\n  root: {tmp_path}\n  train: {name}\n  val_fraction: 0.25\n"
        "  modalities:\n    facts: {numeric: [first, second]}\n"
    )
    words = ["data=mine", f"--config-dir={tmp_path}", *options, "training.epochs=25", "training.batch_size=18", "optimizer.lr=0.005"]
    quick = ["training.threads=1", "tracker=none", f"data.cache={tmp_path / 'cache'}"]
    run = tmp_path / "run"
    assert main(["train", *words, *quick, f"hydra.run.dir={run}"]) == 0
    last = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert max(line["skill"] for line in last if line["split"] == "val") > 0.2
    assert main(["predict", str(run), str(tmp_path / name), "--output", str(tmp_path / "out.csv")]) == 0
    assert len(pl.read_csv(tmp_path / "out.csv")) == ROWS
