"""Every kind of task trains on a table in which labels are missing, and what stands beside a missing label changes nothing."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from mmtrain.batch import FUSED, Batch
from mmtrain.cli import main
from mmtrain.loss import Absolute, BinaryCrossEntropy, Pinball, Poisson
from mmtrain.mixing import Mix
from mmtrain.objective import row_losses
from mmtrain.predict import flat
from mmtrain.spec import TargetSpec
from mmtrain.task.multi_regression import EachNumber
from mmtrain.task.multilabel import KnownLabels

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
    "multi_regression": (
        {"answer": lambda first: f"{10 * first:.2f}", "more": lambda first: f"{5 - first:.2f}"},
        ["tasks.answer.column=[answer,more]", "mixing=mixup"],
    ),
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


B = 6
SCORED = torch.tensor([0, 2, 3])  # the others are not labelled
# Losses of the tasks whose targets or predictions are more than one number a row: predictions, targets, and a target that is garbage.
LOSSES: dict[str, tuple[nn.Module, Tensor, Tensor, Any]] = {
    "numbers": (EachNumber(Absolute(TargetSpec("t"))), torch.randn(B, 3), torch.randn(B, 3), torch.nan),
    "sets": (KnownLabels(BinaryCrossEntropy(TargetSpec("t"))), torch.randn(B, 3), torch.randint(2, (B, 4)), -7),
    "quantiles": (Pinball(TargetSpec("t", quantiles=(0.1, 0.5, 0.9))), torch.randn(B, 3), torch.randn(B), torch.inf),
    "counts": (Poisson(TargetSpec("t")), torch.randn(B), torch.randint(9, (B,)).float(), torch.nan),
}


def losses_of(loss: nn.Module, prediction: Tensor, target: Tensor, mix: Mix | None) -> Tensor:
    labelled = torch.zeros(B, dtype=torch.bool).index_fill(0, SCORED, True)
    batch = Batch({}, {}, {}, {"t": target}, {"t": labelled}, {"t": {FUSED: SCORED}}, torch.arange(B))
    return row_losses(loss, prediction, batch, "t", FUSED, mix)


@pytest.mark.parametrize("mixed", [False, True])
@pytest.mark.parametrize("kind", LOSSES)
def test_garbage_in_an_unlabelled_target_changes_nothing(kind: str, mixed: bool) -> None:
    loss, prediction, target, garbage = LOSSES[kind]
    mix = Mix.of(torch.arange(B).flip(0), torch.full((B, 1, 1), 0.25)) if mixed else None  # 2 and 3 are partners, that of 0 has no label
    unlabelled = torch.ones(B, dtype=torch.bool).index_fill(0, SCORED, False)
    found = []
    for content in (target, target.masked_fill(unlabelled.reshape(-1, *[1] * (target.ndim - 1)), garbage)):
        leaf = prediction.clone().requires_grad_()
        losses = losses_of(loss, leaf, content, mix)
        losses.sum().backward()
        assert leaf.grad is not None
        found.append((losses.detach(), leaf.grad))
    assert torch.equal(found[0][0], found[1][0])
    assert torch.equal(found[0][1], found[1][1])


def test_several_numbers_are_mixed_by_the_rows_share() -> None:
    """As many rows as numbers: a share must not be taken for that of a number."""
    loss, prediction, target, _ = LOSSES["numbers"]
    mix = Mix.of(torch.arange(B).flip(0), torch.linspace(0.1, 0.6, B).reshape(B, 1, 1))
    shares = mix.share[SCORED][:, None]
    partners = target[[0, 3, 2]]
    expected = (prediction[SCORED] - shares * target[SCORED] - (1 - shares) * partners).abs().mean(1)
    assert_close(losses_of(loss, prediction, target, mix), expected)


def test_lists_become_json_where_cells_are_text() -> None:
    frame = pl.DataFrame({"tags": [["a", "ü"], []], "tags.p.a": [0.9, 0.1]})
    assert flat(frame).to_dict(as_series=False) == {"tags": ['["a", "ü"]', "[]"], "tags.p.a": [0.9, 0.1]}
