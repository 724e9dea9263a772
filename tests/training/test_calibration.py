"""Temperatures: found where they are known, kept with the run, and changing nothing but how sure the answers are."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from numpy.testing import assert_allclose
from torch import Tensor
from torch.nn.functional import pad

from mmtrain import checkpoint
from mmtrain.cli import main
from mmtrain.evaluate import evaluate, open_split
from mmtrain.metric.classes import ece
from mmtrain.spec import TaskSpec
from mmtrain.training.calibration import COLDEST, Calibration, best_temperature

ROWS = 20000
CLASSES = TaskSpec(0, False, prediction="classes", shape=(4,))
ONE = TaskSpec(0, False, prediction="binary")
SETS = TaskSpec(0, False, prediction="binary", shape=(3,))


def drawn(task: TaskSpec, temperature: float) -> tuple[Tensor, Tensor]:
    """Logits, and labels of which the logits over `temperature` tell the chances."""
    logits = 2 * torch.randn(ROWS, *task.shape, dtype=torch.float64)
    if task.prediction == "classes":
        return logits, torch.multinomial((logits / temperature).softmax(1), 1)[:, 0]
    target = torch.bernoulli((logits / temperature).sigmoid()).long()
    return logits, pad(target, (0, 1)) if task.shape else target  # the last column of a set is for labels that train never saw


@pytest.mark.parametrize("task", [CLASSES, ONE, SETS], ids=["classes", "binary", "sets"])
@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_a_known_temperature_is_found(task: TaskSpec, temperature: float) -> None:
    assert best_temperature(*drawn(task, temperature), task) == pytest.approx(temperature, rel=0.05)


def test_it_is_where_the_slope_of_the_log_loss_is_zero() -> None:
    """In NumPy: the mean logit of the true class is then what the probabilities expect."""
    logits, target = (part.numpy() for part in drawn(CLASSES, 2.0))
    chances = np.exp(logits / best_temperature(torch.from_numpy(logits), torch.from_numpy(target), CLASSES))
    chances /= chances.sum(1, keepdims=True)
    assert (chances * logits).sum(1).mean() == pytest.approx(logits[np.arange(ROWS), target].mean(), abs=1e-5)


def test_calibrated_answers_have_a_smaller_error() -> None:
    logits, target = drawn(CLASSES, 2.5)
    before, after = ((logits / heat).softmax(1).numpy() for heat in (1.0, best_temperature(logits, target, CLASSES)))
    assert (before.argmax(1) == after.argmax(1)).all()
    assert ece(before, target.numpy()) > 0.15
    assert ece(after, target.numpy()) < 0.02


def test_rows_that_are_all_answered_right_find_the_limit() -> None:
    heat = best_temperature(torch.eye(3, dtype=torch.float64), torch.arange(3), CLASSES)
    assert heat == pytest.approx(COLDEST, rel=1e-3)
    assert "temperature 0.050, the limit; ece on val 0.200 before" in Calibration(heat, 0.2, 0.0).line("shape")
    assert "stays 1" in Calibration(1.0, None, None).line("shape")


@pytest.fixture(scope="module", params=[0.0, 0.9], ids=["plain", "averaged"])
def calibrated(request: pytest.FixtureRequest, tiny: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with a temperature for each of its class tasks."""
    folder = tmp_path_factory.mktemp("calibrated") / "run"
    words = [
        *tiny,
        "data.absent=0.4",
        "model.calibrate=true",
        "optimizer.lr=0.01",
        f"training.average={request.param}",
        f"hydra.run.dir={folder}",
    ]
    assert main(["train", *words]) == 0
    return folder


def test_a_loaded_run_gives_the_calibrated_probabilities(calibrated: Path, tmp_path: Path) -> None:
    heats = json.loads((calibrated / "results.json").read_text())["temperatures"]
    trained, dataset = open_split(calibrated, "test")
    assert heats.keys() == {name for name, task in trained.tasks.items() if task.spec.prediction != "numbers"}
    assert all(heat != 1 for heat in heats.values())
    answers = trained.answers(dataset)
    for name in heats:
        trained.model.get_buffer(f"temperature_{name}").fill_(1.0)
    raw, there = trained.answers(dataset), dataset.answerable
    for name, heat in heats.items():
        expected = raw[name][there] ** (1 / heat)
        assert_allclose(answers[name][there], expected / expected.sum(1, keepdims=True), rtol=1e-4)
        assert (answers[name].argmax(1) == raw[name].argmax(1)).all()
        assert_allclose(answers[name][~there], raw[name][~there])
    assert all((answers[name] == raw[name]).all() for name in trained.tasks if name not in heats)
    assert (~there).any()


def test_results_are_of_the_calibrated_answers(calibrated: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = json.loads((calibrated / "results.json").read_text())
    found = evaluate(calibrated, "test").tasks
    for name, scores in results["test"]["tasks"].items():
        for metric in scores.keys() & {"accuracy", "ece", "log_loss", "auroc"}:
            assert found[name][metric] == pytest.approx(scores[metric], abs=1e-6)
    log = (calibrated / "train.log").read_text()
    assert all(f"tasks.{name}: temperature {heat:.3f}" in log for name, heat in results["temperatures"].items())
    assert log.count("; ece on val ") == len(results["temperatures"])


def test_a_run_goes_on_as_if_it_had_not_been_calibrated(tiny: list[str], tmp_path: Path) -> None:
    words = [*tiny, "model.calibrate=true", "optimizer.lr=0.01", "training.average=0.9", "scheduler=constant"]
    for name, epochs in (("short", 2), ("long", 3)):
        assert main(["train", *words, f"training.epochs={epochs}", f"hydra.run.dir={tmp_path / name}"]) == 0
    assert main(["train", "--resume", str(tmp_path / "short"), "training.epochs=3"]) == 0
    short, long = (
        {part: checkpoint.load(tmp_path / name / "checkpoints" / part) for part in ("best", "last")} for name in ("short", "long")
    )
    for part in ("best", "last"):
        for weights in ("model", "average"):
            torch.testing.assert_close(short[part][weights], long[part][weights], rtol=0, atol=0)
    assert short["last"]["model"]["temperature_shape"] == 1 != short["best"]["model"]["temperature_shape"]
    assert main(["train", "--from", str(tmp_path / "short"), f"hydra.run.dir={tmp_path / 'again'}"]) == 0
    assert "temperatures" in json.loads((tmp_path / "again" / "results.json").read_text())


def test_without_it_there_is_none(run: Path) -> None:
    assert "temperatures" not in json.loads((run / "results.json").read_text())
    assert not any("temperature" in name for name in checkpoint.load(run / "checkpoints" / "best")["model"])


def test_predicted_tables_are_calibrated_too(calibrated: Path, tiny: list[str]) -> None:
    trained, dataset = open_split(calibrated, "test")
    decoded = trained.decode(trained.answers(dataset))
    assert isinstance(decoded, pl.DataFrame)
    assert_allclose(decoded["shape.confidence"].to_numpy(), trained.answers(dataset)["shape"].max(1))
