"""Every policy from the command line: trained on rows with gaps, and asked about rows without a column."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

import mmtrain
from mmtrain import checkpoint
from mmtrain.cli import main
from mmtrain.config import Catalog, load
from mmtrain.folder import RunFolder
from mmtrain.source import Scenes
from mmtrain.train import open_session, prepare_data
from mmtrain.training.loop import Loop
from mmtrain.training.step import Taken

Weights = dict[str, torch.Tensor]

QUICK = ["tracker=none", "training.steps=2", "data.limit=48"]


def trained(folder: Path, *words: str) -> Path:
    assert main(["train", *words, f"hydra.run.dir={folder}"]) == 0
    return folder


def predicted(run: Path, frame: pl.DataFrame) -> pl.DataFrame:
    frame.write_parquet(run / "rows.parquet")
    assert main(["predict", str(run), str(run / "rows.parquet"), "--output", str(run / "out.parquet")]) == 0
    return pl.read_parquet(run / "out.parquet")


@pytest.fixture(scope="module")
def scenes() -> pl.DataFrame:
    """Seven whole rows, pictures and sounds in the cells."""
    frame = Scenes(train=1, val=1, test=7).tables().tables["test"].frame
    assert not any(frame[name].has_nulls() for name in ("picture", "caption", "tone"))
    return frame.select("picture", "caption", "tone")


@pytest.mark.parametrize("policy", list(Catalog.open().choices["missing"]))
def test_two_steps_and_a_prediction_without_a_column(
    policy: str, tiny: list[str], scenes: pl.DataFrame, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = trained(tmp_path / "run", *tiny, *QUICK, f"missing={policy}", "missing.dropout=0.3")
    assert RunFolder(run).results()["status"] == "finished"
    whole = predicted(run, scenes)
    capsys.readouterr()
    without = predicted(run, scenes.drop("tone"))
    out = capsys.readouterr().out
    assert "has no column 'tone'; it counts as absent" in out
    assert ("7 of 7 rows of" in out) == (policy == "drop")
    columns = [name for name in whole.columns if ".p." in name]
    assert np.isfinite(without.select(columns).to_numpy()).all()
    assert not whole.select(columns).equals(without.select(columns))
    assert (without.select(columns).unique().height == 1) == (policy == "drop")


@pytest.fixture
def steps(tiny: list[str], tmp_path: Path) -> Callable[[str, int], tuple[Weights, Weights, list[Taken]]]:
    """Takes steps on one batch with gaps; gives the weights before and after, and what came of each step."""

    def steps(policy: str, count: int) -> tuple[Weights, Weights, list[Taken]]:
        config = load([*tiny, *QUICK, f"missing={policy}", "optimizer.lr=3e-3", "scheduler=constant"]).config
        data = prepare_data(config)
        with open_session(config, data, RunFolder(tmp_path)) as session:
            model, batch = session.loop.model.train(), data.splits["train"].batch(np.arange(32))
            before = {name: value.clone() for name, value in model.state_dict().items()}
            taken = [session.loop.step([batch]) for _ in range(count)]
            return before, model.state_dict(), [step for step in taken if step is not None]

    return steps


def test_the_penalty_of_impute_falls(steps: Callable[..., Any]) -> None:
    _, _, taken = steps("impute", 25)
    sums = [{name: penalty.item() for name, penalty in step.penalties.items()} for step in taken]
    assert set(sums[0]) == {f"tokens/{name}/reconstruction" for name in ("picture", "caption", "tone")}
    assert all(sums[-1][name] < 0.7 * sums[0][name] for name in sums[0])


@pytest.mark.parametrize(("policy", "prefix"), [("learned", "missing.tokens."), ("mean", "missing.mean_")])
def test_stand_ins_move(steps: Callable[..., Any], policy: str, prefix: str) -> None:
    before, after, _ = steps(policy, 2)
    names = [name for name in before if name.startswith(prefix)]
    assert len(names) == 3
    assert all(not torch.equal(before[name], after[name]) for name in names)


def test_a_stopped_run_goes_on_as_if_it_never_was(tiny: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a mean that runs along, modalities that are dropped, and rows that are drawn: in the middle of the second epoch."""
    words = [*tiny, "tracker=none", "missing=mean", "missing.dropout=0.3", "sampler=balanced", "sampler.tasks=[shape]"]
    words.append("training.checkpoint_seconds=0")
    straight = trained(tmp_path / "straight", *words)
    take_step = Loop.take_step

    def stopping(loop: Loop, group: Sequence[Any]) -> None:
        if loop.progress.step == 4:
            raise KeyboardInterrupt
        take_step(loop, group)

    with monkeypatch.context() as patch:
        patch.setattr(Loop, "take_step", stopping)
        assert main(["train", *words, f"hydra.run.dir={tmp_path / 'stopped'}"]) == 130
    assert main(["train", "--resume", str(tmp_path / "stopped")]) == 0
    found, expected = (checkpoint.load(run / "checkpoints" / "last")["model"] for run in (tmp_path / "stopped", straight))
    torch.testing.assert_close(found, expected, rtol=0, atol=0)


def test_dropping_rows(tiny: list[str], scenes: pl.DataFrame, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Incomplete rows get the prior, in a file as in a split, and a note says how many they are."""
    run = trained(tmp_path / "run", *tiny, *QUICK, "missing=drop")
    out = capsys.readouterr().out
    assert "rows of train lack a modality and lose their labels" in out
    assert "rows of test lack a modality and get the constant answer" in out
    assert main(["evaluate", str(run)]) == 0
    assert "rows of test lack a modality and get the constant answer" in capsys.readouterr().out
    gaps = scenes.with_columns(caption=pl.when(pl.int_range(pl.len()) < 3).then(None).otherwise("caption"))
    found = predicted(run, gaps)
    assert f"missing: 3 of 7 rows of {run / 'rows.parquet'} lack a modality and get the constant answer" in capsys.readouterr().out
    tasks = mmtrain.load(run).tasks
    for label, count in zip(tasks["shape"].state()["labels"], tasks["shape"].state()["counts"], strict=True):
        share = count / sum(tasks["shape"].state()["counts"])
        assert found[f"shape.p.{label}"][:3].to_list() == pytest.approx([share] * 3, rel=1e-5)
        assert found[f"shape.p.{label}"][3:].to_list() != pytest.approx([share] * 4, rel=1e-3)


def test_no_whole_row_to_learn_from(tiny: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", *tiny, "data.absent=0.99", "missing=drop", f"hydra.run.dir={tmp_path / 'run'}"]) == 2
    err = capsys.readouterr().err.splitlines()
    assert err == [
        f"error: data.{split}: no row has all modalities and a label; choose another policy with missing=NAME" for split in ("train", "val")
    ]
    assert not (tmp_path / "run").exists()
