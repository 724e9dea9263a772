"""From rows to texts that are written: spelled off the steps of a recording, or said in words."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

import mmtrain
from mmtrain.cli import main
from mmtrain.data import batches
from mmtrain.objective import scored_rows, view_losses
from mmtrain.task import condensed

LETTERS = "abc"


def strokes(file: Path, random: np.random.Generator) -> dict[str, str]:
    """A series in which each letter of a text is three steps of its own channel, and as many steps of rest follow."""
    text = "".join(random.choice(list(LETTERS), random.integers(1, 4)))
    steps = [[3.0 * (letter == name) for name in LETTERS] for letter in text for letter in (letter,) * 3 + (" ",) * 2]
    np.save(file, np.array(steps) + 0.1 * random.standard_normal((len(steps), len(LETTERS))))
    said = " then ".join(text) + "."
    return {"steps": file.name, "text": text, "said": said, "long": str(len(text) > 1)}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, random = tmp_path_factory.mktemp("strokes"), np.random.default_rng(0)
    for split, count in (("train", 192), ("val", 32), ("test", 32)):
        rows = pl.DataFrame([{"id": f"{split}{row}"} | strokes(folder / f"{split}{row}.npy", random) for row in range(count)])
        number = pl.int_range(pl.len())
        rows = rows.with_columns(
            pl.when(number % 8 != 3).then("text").alias("text"),
            pl.when(number % 8 != 5).then("said").alias("said"),
            pl.when(number % 16 != 7).then("steps").alias("steps"),
        )
        rows.write_csv(folder / f"{split}.csv")
    (folder / "data").mkdir()
    (folder / "data" / "strokes.yaml").write_text(
        f"""# @package _global_
defaults:
  - /source@data: table
  - /modality@data.modalities.pen: series
  - /task@tasks.text: ctc
  - /task@tasks.said: generation
  - /task@tasks.long: binary
  - _self_
data:
  name: strokes
  root: {folder}
  train: train.csv
  val: val.csv
  test: test.csv
  id: id
  modalities:
    pen: {{column: steps}}
tasks:
  text: {{column: text, modality: pen}}
  said: {{column: said, modalities: [pen], dim: 32, layers: 1, min_count: 1}}
  long: {{column: long}}
encoder:
  series: {{layers: 2}}
"""
    )
    return folder


def train(data: Path, run: Path, *overrides: str) -> int:
    shared = ["data=strokes", "training.threads=1", "training.batch_size=16", "optimizer.lr=1e-2", f"hydra.run.dir={run}"]
    return main(["train", "--config-dir", str(data), *shared, *overrides])


@pytest.fixture(scope="module")
def learned(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("run") / "learned"
    assert train(data, run, "training.epochs=12") == 0
    return run


def test_texts_are_learned_and_written(data: Path, learned: Path) -> None:
    tasks = json.loads((learned / "results.json").read_text())["test"]["tasks"]
    assert tasks["text"]["cer"] < 0.1
    assert tasks["said"]["bleu"] > 50
    trained = mmtrain.load(learned)
    table = pl.read_csv(data / "test.csv")
    found = trained.predict(data / "test.csv")
    known = table["steps"].is_not_null() & table["text"].is_not_null()
    assert sum((found["text"] == table["text"]).filter(known)) > 0.75 * sum(known)
    nobody = found.filter(table["steps"].is_null())
    assert len(set(nobody["text"])) == len(set(nobody["said"])) == 1
    assert set(nobody["said"]) == {trained.tasks["said"].constant}  # type: ignore[attr-defined]
    lines = [json.loads(line) for line in (learned / "metrics.jsonl").read_text().splitlines()]
    assert "bleu" not in lines[0]["tasks"]["said"]  # not scored on train, where it would be written in every step
    assert "cer" in lines[0]["tasks"]["text"]


def test_absent_cells_and_missing_labels_change_nothing(data: Path, learned: Path) -> None:
    """To the bit: no prediction, no text, no loss and no gradient, whatever stands there."""
    trained = mmtrain.load(learned)
    [batch] = batches(trained.rows(trained.read(data / "test.csv")), 32)
    trained.model.eval()
    pen, absent = batch.inputs["pen"], ~batch.present["pen"]
    assert absent.any()
    strange = replace(pen, values=pen.values.masked_fill(absent[:, None, None], torch.nan), mask=pen.mask | absent[:, None])
    targets = {
        name: target.masked_fill(~batch.labelled[name].reshape(-1, *[1] * (target.ndim - 1)), 7) for name, target in batch.targets.items()
    }
    found = []
    for part in (batch, replace(batch, inputs={"pen": strange}, targets=targets)):
        trained.model.zero_grad()
        output = trained.model(part)
        losses = view_losses(trained.model, output, part, scored_rows([part]))
        torch.stack([loss for views in losses.values() for loss in views.values()]).sum().backward()
        texts = [condensed(task, output.predictions[name]) for name, task in trained.tasks.items()]
        gradients = [parameter.grad for parameter in trained.model.parameters() if parameter.grad is not None]
        found.append([*output.predictions.values(), *texts, *gradients])
    assert len(found[0]) == len(found[1]) > 20
    assert all(one.equal(other) for one, other in zip(*found, strict=True))
    assert any(parameter.grad.any() for parameter in trained.model.loss["said"].parameters())


@pytest.mark.parametrize(
    "balancing",
    [["balancing=mgda"], ["balancing=mgda", "balancing.level=parameters"], ["balancing=uncertainty"], ["balancing=famo"]],
    ids=str,
)
def test_texts_are_balanced_with_labels(balancing: list[str], data: Path, tmp_path: Path) -> None:
    assert train(data, tmp_path / "run", "training.epochs=2", *balancing) == 0
    tasks = json.loads((tmp_path / "run" / "results.json").read_text())["test"]["tasks"]
    assert all(np.isfinite(tasks[name]["skill"]) for name in ("text", "said", "long"))


def test_a_stopped_run_goes_on_to_the_same_weights(data: Path, tmp_path: Path) -> None:
    options = ["training.average=0.9", "tasks.said.beams=2"]
    assert train(data, tmp_path / "whole", "training.epochs=2", *options, "scheduler=constant") == 0
    assert train(data, tmp_path / "halves", "training.epochs=1", *options, "scheduler=constant") == 0
    assert main(["train", "--resume", str(tmp_path / "halves"), "training.epochs=2"]) == 0
    whole, halves = (mmtrain.load(tmp_path / name, checkpoint_name="last").model.state_dict() for name in ("whole", "halves"))
    assert any(name.startswith("loss.said.decoder.") for name in whole)
    assert all(value.equal(halves[name]) for name, value in whole.items())


def test_texts_longer_than_their_rows_are_told(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spelling = "tasks.text.spelling={a: abcabcabcabc, b: abcabcabcabc}"
    assert train(data, tmp_path / "run", "training.epochs=1", spelling) == 0
    out = capsys.readouterr().out
    assert "% of the texts on val have more letters than their rows have tokens" in out
