"""Where tasks are compared: what each reads of what they share, whatever else stands behind it."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
import torch

from mmtrain.assembly import build_model
from mmtrain.batch import FUSED
from mmtrain.config import load
from mmtrain.data import batches
from mmtrain.model import Model
from mmtrain.objective import scored_rows, view_losses
from mmtrain.source import TRAIN
from mmtrain.task import condensed
from mmtrain.train import prepare_data

DATA = """# @package _global_
defaults:
  - /source@data: table
  - /modality@data.modalities.words: text
  - /modality@data.modalities.facts: tabular
  - /task@tasks.tags: tagging
  - /task@tasks.kind: classification
  - _self_
data:
  name: rows
  root: {root}
  train: rows.csv
  val: rows.csv
  modalities:
    words: {{column: words, split: blanks, min_count: 1}}
    facts: {{numeric: [number]}}
tasks:
  tags: {{column: tags, modality: words}}
  kind: {{column: kind}}
"""


@pytest.fixture
def model_and_batch(tmp_path: Path) -> Any:
    """A model that tags words and tells the row's kind from words and a number; one row lacks its words."""

    def make(*overrides: str) -> tuple[Model, Any]:
        rows = {"words": ["a b c", "b", None, "c a"], "number": [1.0, 2.0, 3.0, 4.0], "tags": ["O B-x O", "B-x", None, "O O"]}
        pl.DataFrame(rows | {"kind": ["p", "q", "p", "q"]}).write_csv(tmp_path / "rows.csv")
        (tmp_path / "data").mkdir(exist_ok=True)
        (tmp_path / "data" / "rows.yaml").write_text(DATA.format(root=tmp_path))
        config = load(["data=rows", "encoder/text=bag", "encoder.text.dropout=0", *overrides], tmp_path).config
        data = prepare_data(config)
        torch.manual_seed(0)
        model = build_model(config, data.modalities, data.tasks)
        [batch] = batches(data.splits[TRAIN], 8)
        return model, batch

    return make


def test_no_tensor_at_the_boundary_stands_in_front_of_another(model_and_batch: Any) -> None:
    """Else a gradient with respect to the first would count what comes by way of the second as well."""
    for overrides in ([], ["model.auxiliary=0.3"], ["sharing=mmoe"], ["fusion=transformer"]):
        model, batch = model_and_batch(*overrides)
        boundary = [tensor for tensor in model.train()(batch).boundary if tensor.requires_grad]
        assert len(boundary) > 1
        for place, tensor in enumerate(boundary):
            others = [other for number, other in enumerate(boundary) if number != place]
            found = torch.autograd.grad(tensor.sum(), others, retain_graph=True, allow_unused=True)
            assert all(gradient is None for gradient in found)


def test_weights_at_the_boundary_are_weights_of_the_encoders_gradients(model_and_batch: Any) -> None:
    """With weight w for every task, what lies in front of the boundary has w times the gradient of the plain sum."""
    model, batch = model_and_batch()
    output = model.train()(batch)
    losses = view_losses(model, output, batch, scored_rows([batch]))
    total = torch.stack([views[FUSED] for views in losses.values()]).sum()
    parameters = [parameter for name, parameter in model.encoder.named_parameters() if parameter.requires_grad]
    plain = torch.autograd.grad(total, parameters, retain_graph=True, allow_unused=True)
    boundary = [tensor for tensor in output.boundary if tensor.requires_grad]
    rows = torch.autograd.grad(total, boundary, retain_graph=True, allow_unused=True, materialize_grads=True)
    weighted = torch.autograd.grad(boundary, parameters, [0.3 * row for row in rows], allow_unused=True)
    for whole, part in zip(plain, weighted, strict=True):
        assert (whole is None) == (part is None)
        if whole is not None and part is not None:
            torch.testing.assert_close(part, 0.3 * whole)


def test_heads_see_no_stand_ins(model_and_batch: Any) -> None:
    for policy in ("zero", "mean", "learned", "impute"):
        model, batch = model_and_batch(f"missing={policy}")
        task = model.tasks["tags"]
        with torch.no_grad():
            prediction = condensed(task, model.eval()(batch).predictions["tags"])
        tags = task.decode(task.answer(prediction))[""]
        assert [len(cell.split()) for cell in tags] == [3, 1, 0, 2]


def test_a_loss_of_words_is_a_mean_over_rows_that_kept_theirs(model_and_batch: Any) -> None:
    model, batch = model_and_batch("missing.dropout=0.9", "decision=auto")
    for _ in range(20):
        output = model.train()(batch)
        kept = output.real["words"][batch.scored["tags"][FUSED]]
        if kept.any() and not kept.all():
            break
    scored = batch.scored["tags"][FUSED]
    losses = model.loss["tags"](output.predictions["tags"][scored], batch.targets["tags"][scored])
    found = view_losses(model, output, batch, scored_rows([batch]))["tags"][FUSED]
    assert float(found.detach()) == pytest.approx(float(losses[kept].mean().detach()))
    assert losses[~kept].sum() == 0
