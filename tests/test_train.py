"""`mmtrain train`: what a run leaves behind, how it ends, and that it can be repeated."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from mmtrain import checkpoint
from mmtrain.cli import main
from mmtrain.config import load
from mmtrain.folder import RunFolder
from mmtrain.train import open_session, prepare_data
from mmtrain.training.loop import Loop

METRICS = {
    "shape": {"accuracy", "balanced_accuracy", "f1_macro", "f1_weighted", "auroc", "log_loss", "ece"},
    "position": {"mae", "rmse", "r2", "spearman"},
    "match": {"accuracy", "balanced_accuracy", "f1_macro", "f1_weighted", "auroc", "log_loss", "ece", "average_precision", "f1"},
}
METRICS |= {"colour": METRICS["shape"], "pitch": METRICS["shape"]}
TIMES = ("seconds", "samples_per_second", "peak_memory_mb")


@pytest.fixture
def train(tiny: list[str], tmp_path: Path) -> Callable[..., Path]:
    """Train one epoch of three steps with other values where given; gives the run folder, whose run ended with `code`."""

    def run(*overrides: str, code: int = 0, name: str = "run") -> Path:
        assert main(["train", *tiny, "training.epochs=1", *overrides, f"hydra.run.dir={tmp_path / name}"]) == code
        return tmp_path / name

    return run


def lines(run: Path, split: str = "") -> list[dict[str, Any]]:
    """Lines of metrics.jsonl, of one split or of all, without times."""
    found = [line for line in RunFolder(run).read_metrics() if split in ("", line["split"])]
    return [{key: value for key, value in line.items() if key not in TIMES} for line in found]


def results(run: Path) -> dict[str, Any]:
    return json.loads((run / "results.json").read_text())


def stop_at(monkeypatch: pytest.MonkeyPatch, step: int, action: Callable[[], None]) -> None:
    """Do something in the middle of a run, when step number `step` begins."""
    take_step = Loop.take_step

    def stopping(loop: Loop, group: Sequence[Any]) -> None:
        if loop.progress.step == step:
            action()
        take_step(loop, group)

    monkeypatch.setattr(Loop, "take_step", stopping)


def interrupt() -> None:
    raise KeyboardInterrupt


def terminate() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def fail() -> None:
    raise ValueError("a bug")


def test_the_files_of_a_run(run: Path) -> None:
    files = {str(file.relative_to(run)) for file in run.rglob("*") if file.is_file()}
    [events] = [file for file in files if file.startswith("tensorboard/events.out.tfevents.")]
    later = {"subsets.html", "subsets.json"}  # of other tests that share the run
    assert files - {events} - later == {
        "config.yaml",
        "preprocessing.json",
        "splits.json",
        "metrics.jsonl",
        "results.json",
        "train.log",
        "checkpoints/best/state.safetensors",
        "checkpoints/last/state.safetensors",
    }


def test_a_line_an_epoch_and_split(run: Path) -> None:
    found = RunFolder(run).read_metrics()
    assert [(line["epoch"], line["step"], line["split"]) for line in found] == [
        (1, 3, "train"),
        (1, 3, "val"),
        (2, 6, "train"),
        (2, 6, "val"),
    ]
    for line in found:
        more, best = ({"modalities"}, {"best"}) if line["split"] == "val" else ({"gradients"}, set[str]())
        assert set(line) == {"epoch", "step", "split", "loss", "skill", "tasks", "seconds", "samples_per_second"} | more
        assert {name: set(task) for name, task in line["tasks"].items()} == {
            name: {"loss", "weight", "skill"} | metrics | best for name, metrics in METRICS.items()
        }
        assert line["seconds"] > 0
        assert line["samples_per_second"] == pytest.approx(96 / line["seconds"])


def test_results(run: Path) -> None:
    found = results(run)
    assert set(found) == {
        *("status", "seed", "best_epoch", "selected_by", "test", "baseline", "parameters"),
        *("seconds", "samples_per_second", "peak_memory_mb", "versions"),
    }
    assert (found["status"], found["seed"], found["selected_by"]) == ("finished", 0, "skill")
    assert set(found["test"]) == {"skill", "tasks"}
    assert {name: set(task) for name, task in found["test"]["tasks"].items()} == {
        name: {"skill", "rows"} | metrics | (set() if name == "position" else {"classes"}) for name, metrics in METRICS.items()
    }
    for task in (task for task in found["test"]["tasks"].values() if "classes" in task):
        assert all(set(label) == {"precision", "recall", "f1", "rows"} for label in task["classes"].values())
        assert sum(label["rows"] for label in task["classes"].values()) == task["rows"]
        recalls = [label["recall"] for label in task["classes"].values() if label["rows"]]
        assert task["balanced_accuracy"] == pytest.approx(sum(recalls) / len(recalls))
    assert list(found["test"]["tasks"]["match"]["classes"]) == ["no", "yes"]
    skills = [task["skill"] for task in found["test"]["tasks"].values()]
    assert found["test"]["skill"] == pytest.approx(sum(skills) / 5)
    assert {name: set(task) for name, task in found["baseline"].items()} == {
        name: {"mae" if name == "position" else "auroc" if name == "match" else "accuracy"} for name in METRICS
    }
    assert found["baseline"]["match"]["auroc"] == 0.5
    assert found["samples_per_second"] == pytest.approx(2 * 96 / found["seconds"])
    weights = checkpoint.load(run / "checkpoints" / "best")["model"]
    assert 0 < found["parameters"] <= sum(weight.numel() for weight in weights.values())
    assert {"mmtrain", "python", "torch"} <= set(found["versions"])


def test_skill_lies_between_the_constant_answer_and_perfection(run: Path) -> None:
    found = results(run)
    for name, task in found["test"]["tasks"].items():
        [(metric, constant)] = found["baseline"][name].items()
        perfect = 0.0 if metric == "mae" else 1.0
        assert task["skill"] == pytest.approx((task[metric] - constant) / (perfect - constant))


def test_the_rows_of_each_split_are_kept(run: Path) -> None:
    splits = json.loads((run / "splits.json").read_text())
    assert splits == {split: [f"{split}-{row:05d}" for row in range(96)] for split in ("train", "val", "test")}


def test_what_was_printed_is_in_the_log(train: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    run = train()
    out, log = capsys.readouterr().out, (run / "train.log").read_text()
    assert log == out
    assert out.splitlines()[0].startswith("rows: train 96, val 96, test 96; parameters: ")
    assert "best epoch 1 of 1, selected by skill on val" in out
    assert out.splitlines()[-2:] == [f"run folder: {run}", f"next: mmtrain predict {run} FILE --output predictions.csv"]


@pytest.mark.parametrize("balancing", ["fixed", "uncertainty", "size"])
def test_the_loss_of_a_line_is_the_weighted_sum(train: Callable[..., Path], balancing: str) -> None:
    """`tasks.X.weight` times loss, on every split, whatever the balancing method did."""
    run = train("tasks.shape.weight=3", "tasks.position.weight=0.25", f"balancing={balancing}", "optimizer.lr=0.01")
    weights = {"shape": 3, "colour": 1, "position": 0.25, "pitch": 1, "match": 1}
    for line in lines(run):
        assert line["loss"] == pytest.approx(sum(weights[name] * task["loss"] for name, task in line["tasks"].items()))
        given = [task["weight"] for task in line["tasks"].values()]
        assert all(weight is None for weight in given) or all(weight > 0 for weight in given)


def test_the_same_seed_gives_the_same_run(run: Path, tiny: list[str], tmp_path: Path) -> None:
    assert main(["train", *tiny, f"hydra.run.dir={tmp_path / 'same'}"]) == 0
    assert main(["train", *tiny, "seed=1", "training.epochs=1", f"hydra.run.dir={tmp_path / 'other'}"]) == 0
    assert lines(tmp_path / "same") == lines(run)
    assert lines(tmp_path / "other") != lines(run)[:2]


def test_a_run_can_be_repeated_from_its_folder(run: Path, tmp_path: Path) -> None:
    assert main(["train", "--from", str(run), f"hydra.run.dir={tmp_path / 'again'}"]) == 0
    again = tmp_path / "again"
    assert (again / "config.yaml").read_bytes() == (run / "config.yaml").read_bytes()
    assert (again / "preprocessing.json").read_bytes() == (run / "preprocessing.json").read_bytes()
    assert lines(again) == lines(run)
    assert {key: value for key, value in results(again).items() if key not in TIMES} == {
        key: value for key, value in results(run).items() if key not in TIMES
    }
    found, expected = (checkpoint.load(folder / "checkpoints" / "best")["model"] for folder in (again, run))
    torch.testing.assert_close(found, expected, rtol=0, atol=0)


def test_the_best_epoch_is_kept(run: Path) -> None:
    found = lines(run, "val")
    skills = [line["skill"] for line in found]
    best = results(run)["best_epoch"]
    assert best == 1 + skills.index(max(skills))
    assert checkpoint.load(run / "checkpoints" / "best")["progress"]["epoch"] == best
    for line in found:
        assert line["skill"] == pytest.approx(sum(task["skill"] for task in line["tasks"].values()) / 5)


def test_one_task_may_decide(train: Callable[..., Path]) -> None:
    run = train("training.epochs=3", "optimizer.lr=0.02", "selection.task=pitch")
    skills = [line["tasks"]["pitch"]["skill"] for line in lines(run, "val")]
    found = results(run)
    assert (found["best_epoch"], found["selected_by"]) == (1 + skills.index(max(skills)), "skill of pitch")
    assert checkpoint.load(run / "checkpoints" / "best")["progress"]["epoch"] == found["best_epoch"]


def test_patience_ends_a_run(train: Callable[..., Path]) -> None:
    run = train("training.epochs=9", "training.patience=1", "optimizer.lr=0.05", "tracker=none")
    skills = [line["skill"] for line in lines(run, "val")]
    assert len(skills) < 9
    assert skills[:-1] == sorted(skills[:-1])
    assert skills[-1] <= skills[-2]
    assert (results(run)["best_epoch"], results(run)["status"]) == (len(skills) - 1, "finished")
    assert not (run / "tensorboard").exists()


@pytest.mark.parametrize("action", [interrupt, terminate])
def test_a_stopped_run_says_so_and_goes_on(
    train: Callable[..., Path], run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], action: Callable[[], None]
) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with monkeypatch.context() as patch:
        stop_at(patch, 4, action)
        stopped = train("training.epochs=2", code=130)
    out, err = capsys.readouterr()
    assert out.splitlines()[-1] == f"stopped; go on with: mmtrain train --resume {stopped}"
    assert err == "interrupted\n"
    assert signal.getsignal(signal.SIGTERM) == before
    found = results(stopped)
    assert (found["status"], found["best_epoch"], found["test"]) == ("stopped", 1, None)
    assert found["seconds"] > 0
    assert main(["train", "--resume", str(stopped)]) == 0
    assert lines(stopped) == lines(run)
    assert results(stopped)["status"] == "finished"


def test_a_run_that_fails_says_so(train: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    stop_at(monkeypatch, 1, fail)
    run = train(code=1)
    assert capsys.readouterr().err == "error: ValueError: a bug; run again with --debug to see where\n"
    assert results(run)["status"] == "failed"


@pytest.mark.parametrize("log_steps", [1, 100])
def test_a_run_that_diverges_says_so(train: Callable[..., Path], capsys: pytest.CaptureFixture[str], log_steps: int) -> None:
    """Seen in a step that is logged, or at the end of the epoch."""
    run = train("optimizer.lr=1e30", "training.clip=null", f"training.log_steps={log_steps}", code=2)
    err = capsys.readouterr().err
    assert err.startswith("error: tasks.shape: the loss is ")
    assert all("; lower optimizer.lr or training.clip" in line for line in err.splitlines())
    assert results(run)["status"] == "failed"


def test_a_refused_resume_leaves_the_run_alone(run: Path) -> None:
    before = {file: file.stat().st_size for file in run.rglob("*") if file.is_file()}
    assert main(["train", "--resume", str(run)]) == 2
    assert {file: file.stat().st_size for file in run.rglob("*") if file.is_file()} == before


def test_half_precision(train: Callable[..., Path]) -> None:
    """Nearly the losses of single precision, but not the same; weights stay float32."""
    runs = [train("data.limit=32", f"training.precision={name}", name=name) for name in ("fp32", "bf16", "fp16")]
    for full, *halves in zip(*map(lines, runs), strict=True):
        assert [half["loss"] for half in halves] == pytest.approx([full["loss"]] * 2, rel=0.02)
        assert len({full["loss"], *(half["loss"] for half in halves)}) == 3
    for run in runs:
        weights = checkpoint.load(run / "checkpoints" / "best")["model"].values()
        assert {weight.dtype for weight in weights if weight.is_floating_point()} == {torch.float32}


@pytest.mark.slow
def test_compiled(train: Callable[..., Path], tiny: list[str], tmp_path: Path) -> None:
    """In a process of its own: the shape checks of tests cannot be compiled."""
    words = ["train", *tiny, "training.epochs=1", "training.compile=true", f"hydra.run.dir={tmp_path / 'compiled'}"]
    done = subprocess.run([sys.executable, "-m", "mmtrain", *words], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for found, expected in zip(lines(tmp_path / "compiled"), lines(train()), strict=True):
        assert found["loss"] == pytest.approx(expected["loss"], rel=1e-3)


def test_a_part_may_learn_slower_or_not_at_all(tiny: list[str], tmp_path: Path) -> None:
    config = load([*tiny, "optimizer.lr_factor.encoder.image=0", "optimizer.lr_factor.encoder.caption=0.5", "scheduler=constant"]).config
    data = prepare_data(config)
    with open_session(config, data, RunFolder(tmp_path)) as session:
        loop, encoder = session.loop, session.loop.model.encoder
        assert sorted({group["lr"] for group in loop.optimizer.param_groups}) == pytest.approx([0, 5e-4, 1e-3])
        before = {name: [weight.detach().clone() for weight in encoder[name].parameters()] for name in encoder}
        loop.model.train()
        loop.take_step([data.splits["train"].batch(torch.arange(32).numpy())])
        moved = {
            name: max(float((now.detach() - old).abs().max()) for now, old in zip(encoder[name].parameters(), before[name], strict=True))
            for name in encoder
        }
    assert moved["picture"] == 0
    assert 0 < moved["caption"] < 7e-4 < moved["tone"] < 1.5e-3  # Adam's first step is as long as the learning rate
