"""A run that is killed and resumed ends exactly as one that was never stopped."""

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from mmtrain import checkpoint
from mmtrain.cli import main
from mmtrain.folder import RunFolder

# Kills itself, as the system would: when step `STEP` begins (-1: when the first epoch ends), or `SECONDS` after the first step began.
VICTIM = """
import os, signal, sys, threading
from mmtrain.cli import main
from mmtrain.training.loop import Loop

step, seconds = int(sys.argv[1]), float(sys.argv[2])
take_step, taken = Loop.take_step, [0]

def kill():
    os.kill(os.getpid(), signal.SIGKILL)

def counted(self, group):
    if taken[0] == 0 and seconds:
        threading.Timer(seconds, kill).start()
    if taken[0] == step and not seconds:
        kill()
    taken[0] += 1
    take_step(self, group)

Loop.take_step = counted
if step < 0:
    Loop._end_epoch = lambda self: kill()
sys.exit(main(sys.argv[3:]))
"""


@pytest.fixture(scope="module", params=["fixed", "uncertainty", "famo", "gradvac"])
def straight(request: pytest.FixtureRequest, tiny: list[str], tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], Path]:
    """A run that was never stopped: three epochs of two steps (of two batches each), dropout, a checkpoint at every step."""
    overrides = [
        *tiny,
        "training.epochs=3",
        "training.accumulate=2",
        "fusion.dropout=0.2",
        "sharing=mmoe",
        "training.checkpoint_seconds=0",
        "training.average=0.9",
    ]
    overrides.append(f"balancing={request.param}")
    folder = tmp_path_factory.mktemp("straight") / "run"
    assert main(["train", *overrides, f"hydra.run.dir={folder}"]) == 0
    return overrides, folder


def killed(overrides: list[str], folder: Path, *, step: int = 0, seconds: float = 0.0) -> int:
    words = ["train", *overrides, f"hydra.run.dir={folder}"]
    return subprocess.run([sys.executable, "-c", VICTIM, str(step), str(seconds), *words], check=False, capture_output=True).returncode


def outcome(folder: Path) -> dict[str, Any]:
    """All that a run leaves, but for times."""
    run = RunFolder(folder)
    lines = [{key: value for key, value in line.items() if key not in ("seconds", "samples_per_second")} for line in run.read_metrics()]
    results = {key: value for key, value in run.results().items() if key not in ("seconds", "samples_per_second", "peak_memory_mb")}
    return {"metrics": lines, "results": results}


def assert_same_end(folder: Path, straight: Path) -> None:
    for name in ("last", "best"):
        found, expected = (checkpoint.load(place / "checkpoints" / name) for place in (folder, straight))
        for part in ("model", "optimizer", "balancer"):
            torch.testing.assert_close(found[part], expected[part], rtol=0, atol=0)
        assert torch.equal(found["random"]["cpu"], expected["random"]["cpu"])
    assert outcome(folder) == outcome(straight)


@pytest.mark.parametrize("step", [0, 1, 3])
def test_killed_and_resumed_equals_never_stopped(straight: tuple[list[str], Path], tmp_path: Path, step: int) -> None:
    overrides, folder = straight
    if "balancing=fixed" not in overrides and step != 3:
        pytest.skip("one kill is enough for the other methods")
    assert killed(overrides, tmp_path / "run", step=step) == -9
    assert json.loads((tmp_path / "run" / "results.json").read_text())["status"] == "running"
    assert main(["train", "--resume", str(tmp_path / "run")]) == 0
    assert_same_end(tmp_path / "run", folder)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(20))
def test_killed_at_any_moment(straight: tuple[list[str], Path], tmp_path: Path, number: int) -> None:
    overrides, folder = straight
    code = killed(overrides, tmp_path / "run", seconds=random.Random(number).uniform(0.01, 2.0))
    if code == 0:  # it was done before the kill came
        return
    assert code == -9
    assert main(["train", "--resume", str(tmp_path / "run")]) == 0
    assert_same_end(tmp_path / "run", folder)


def test_killed_at_the_end_of_an_epoch_that_steps_cut_short(tiny: list[str], tmp_path: Path) -> None:
    overrides = [*tiny, "training.steps=2", "training.checkpoint_seconds=0"]
    assert main(["train", *overrides, f"hydra.run.dir={tmp_path / 'straight'}"]) == 0
    assert killed(overrides, tmp_path / "run", step=-1) == -9
    assert main(["train", "--resume", str(tmp_path / "run")]) == 0
    assert_same_end(tmp_path / "run", tmp_path / "straight")


def test_a_resumed_run_may_be_longer(run: Path, tiny: list[str], tmp_path: Path) -> None:
    place = tmp_path / "run"
    assert main(["train", *tiny, f"hydra.run.dir={place}"]) == 0
    assert main(["train", "--resume", str(place), "training.epochs=4"]) == 0
    assert [line["epoch"] for line in RunFolder(place).read_metrics() if line["split"] == "val"] == [1, 2, 3, 4]
    assert [line["epoch"] for line in RunFolder(run).read_metrics() if line["split"] == "val"] == [1, 2]


def test_a_finished_run_is_not_repeated(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = outcome(run)
    assert main(["train", "--resume", str(run)]) == 2
    assert "this run is finished; raise training.epochs, or training.steps where it was given, to go on" in capsys.readouterr().err
    assert outcome(run) == before


def test_other_rows_are_refused(tiny: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "run"
    assert main(["train", *tiny, f"hydra.run.dir={place}"]) == 0
    config = place / "config.yaml"
    config.write_text(config.read_text().replace("train: 96", "train: 95"))
    assert main(["train", "--resume", str(place), "training.epochs=3"]) == 2
    assert "the table or its splits have changed since this run began" in capsys.readouterr().err
