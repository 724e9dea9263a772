import csv
import math
import shutil
import sys
from pathlib import Path

import pytest

from mmtrain.cli import main
from mmtrain.folder import RunFolder
from mmtrain.sweep import half_interval, summarise, write_overrides

KILLING = """
import os
import signal


class Killing:
    def __init__(self, folder):
        self.killed = folder.name == "0"

    def log(self, step, numbers):
        if self.killed:
            os.kill(os.getpid(), signal.SIGKILL)

    def flush(self): ...

    def close(self): ...
"""


def job(folder: Path, keys: dict[str, str], val: float | None, test: float | None, status: str = "finished") -> None:
    write_overrides(folder, keys)
    run = RunFolder(folder)
    if val is None:
        return
    for epoch, skill in ((1, val - 0.1), (2, val)):
        run.append_metrics({"epoch": epoch, "split": "val", "skill": skill, "tasks": {"digit": {"accuracy": skill / 2}}})
    results = {"skill": test, "tasks": {"digit": {"accuracy": test, "skill": test}}}
    run.write_results({"status": status, "best_epoch": 2, "test": results, "baseline": {"digit": {"accuracy": 0.1}}})


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_jobs_are_sorted_by_validation_with_test_beside_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    job(tmp_path / "0", {"tasks.digit.weight": "0.1", "data.limit": "64"}, val=0.5, test=0.9)
    job(tmp_path / "1", {"tasks.digit.weight": "1", "data.limit": "64"}, val=0.8, test=0.7)
    job(tmp_path / "2", {"tasks.digit.weight": "10", "data.limit": "64"}, val=None, test=None)
    summarise(tmp_path)
    found = rows(tmp_path / "summary.csv")
    assert [row["job"] for row in found] == ["1", "0", "2"]
    assert [row["status"] for row in found] == ["finished", "finished", "failed"]
    assert found[0] == {
        "job": "1",
        "tasks.digit.weight": "1",  # data.limit is the same in all jobs and is left out
        "status": "finished",
        "val skill": "0.8",
        "test skill": "0.7",
        "digit accuracy val": "0.4",
        "digit accuracy test": "0.7",
    }
    assert "best validation skill first" in capsys.readouterr().out
    assert not (tmp_path / "summary_seeds.csv").exists()


def test_seeds_become_a_mean_and_an_interval(tmp_path: Path) -> None:
    for number, (weight, seed, test) in enumerate([("1", 0, 0.5), ("1", 1, 0.7), ("1", 2, 0.9), ("2", 0, 0.6)]):
        job(tmp_path / str(number), {"weight": weight, "seed": str(seed)}, val=0.5, test=test)
    summarise(tmp_path)
    found = {row["weight"]: row for row in rows(tmp_path / "summary_seeds.csv")}
    assert found["1"]["seeds"] == "3" and float(found["1"]["test skill"]) == pytest.approx(0.7)
    # Student's t for 2 degrees of freedom at 97.5 % is 4.3027 (any table); the standard deviation is 0.2.
    assert float(found["1"]["test skill ±"]) == pytest.approx(4.3027 * 0.2 / math.sqrt(3), rel=1e-4)
    assert found["2"]["seeds"] == "1" and found["2"]["test skill ±"] == ""


def test_one_number_has_no_interval() -> None:
    assert half_interval([1.0]) is None


def test_a_folder_that_holds_runs_is_refused_before_the_first_job(
    tmp_path: Path, tiny: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    job(tmp_path / "1", {"seed": "7"}, val=0.5, test=0.9)
    assert main(["train", "-m", *tiny, "seed=0,1", f"hydra.sweep.dir={tmp_path}"]) == 2
    assert "already holds a run" in capsys.readouterr().err
    assert not (tmp_path / "0").exists() and not (tmp_path / "summary.csv").exists()


def test_a_sweep_from_the_command_line(tmp_path: Path, tiny: list[str]) -> None:
    """Also: a job that fails does not stop the others, and the command says so."""
    words = ["train", "-m", *tiny, "training.epochs=1", "optimizer.lr=1e-3,1e30", "seed=0,1", f"hydra.sweep.dir={tmp_path}"]
    assert main(words) == 2
    found = rows(tmp_path / "summary.csv")
    assert [row["status"] for row in found] == ["finished", "finished", "failed", "failed"]
    assert {(row["optimizer.lr"], row["seed"]) for row in found[:2]} == {("0.001", "0"), ("0.001", "1")}
    assert all(float(row["val skill"]) < 1 and row["shape accuracy test"] for row in found[:2])
    assert len(rows(tmp_path / "summary_seeds.csv")) == 2


def test_a_sweep_goes_on_where_it_was_stopped(tmp_path: Path, tiny: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A finished job is left alone, one that was stopped is resumed, one that never began is begun; here by two workers."""
    words = ["train", "-m", *tiny, "training.epochs=2", "seed=0,1,2", f"hydra.sweep.dir={tmp_path}"]
    assert main(words) == 0
    expected = rows(tmp_path / "summary.csv")
    untouched, stopped = RunFolder(tmp_path / "0"), RunFolder(tmp_path / "1")
    written = untouched.log.stat().st_mtime_ns
    stopped.write_results(stopped.results() | {"status": "stopped"})
    shutil.rmtree(tmp_path / "2")
    capsys.readouterr()
    assert main([*words, "--workers=2"]) == 0
    out = capsys.readouterr().out
    assert "1 of 3 jobs are finished already" in out and "job 1 finished" in out and "job 2 finished" in out
    assert untouched.log.stat().st_mtime_ns == written
    assert "resuming after epoch 2" in stopped.log.read_text(encoding="utf-8")
    assert rows(tmp_path / "summary.csv") == expected


def test_a_sweep_with_another_configuration_is_another_sweep(tmp_path: Path, tiny: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    words = ["train", "-m", *tiny, "training.epochs=1", "seed=0,1", f"hydra.sweep.dir={tmp_path}"]
    assert main(words) == 0
    capsys.readouterr()
    assert main([*words, "optimizer.lr=0.02", "~tasks.pitch"]) == 2
    err = capsys.readouterr().err
    assert "holds a job that was configured otherwise: tasks, optimizer; choose another folder with hydra.sweep.dir=FOLDER" in err


def test_a_job_whose_process_is_killed_does_not_stop_the_others(
    tmp_path: Path, tiny: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "killing.py").write_text(KILLING, encoding="utf-8")
    words = [*tiny, "training.epochs=1", "training.log_steps=1", "seed=0,1", "trust=[killing]", "tracker={_target_: killing.Killing}"]
    sys.path.append(str(tmp_path))
    try:
        assert main(["train", "-m", *words, f"hydra.sweep.dir={tmp_path / 'jobs'}", "--workers=2"]) == 2
    finally:
        sys.path.remove(str(tmp_path))
    shown = capsys.readouterr()
    assert "its process ended with exit code -9" in shown.err and "job 1 finished" in shown.out
    assert {row["status"] for row in rows(tmp_path / "jobs" / "summary.csv")} == {"failed", "finished"}


def test_workers_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "-m", "seed=1,2", "--workers=0"]) == 2
    assert capsys.readouterr().err == "error: --workers: '0' is no number of jobs; give a whole number from 1: --workers 2\n"
