"""A trained model in Python."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

import mmtrain
from mmtrain import checkpoint
from mmtrain.errors import ConfigError, RunError
from mmtrain.evaluate import evaluate
from mmtrain.source import Scenes
from mmtrain.table import Table
from mmtrain.trained import Trained


@pytest.fixture(scope="module")
def trained(run: Path) -> Trained:
    return mmtrain.load(run)


@pytest.fixture(scope="module")
def table() -> Table:
    return Scenes(train=96, val=96, test=96, absent=0.2, unlabelled=0.2).tables().tables["test"]


def test_it_knows_its_tasks(trained: Trained) -> None:
    assert {name: task.metric for name, task in trained.tasks.items()} == {
        "shape": "accuracy",
        "colour": "accuracy",
        "position": "mae",
        "pitch": "accuracy",
        "match": "auroc",
    }
    assert list(trained.modalities) == ["picture", "caption", "tone"]
    assert trained.config.seed == 0


def test_answers_are_scored_as_evaluate_does(trained: Trained, table: Table, run: Path) -> None:
    dataset = trained.rows(table)
    answers = trained.answers(dataset)
    assert {name: answer.shape for name, answer in answers.items()} == {
        "shape": (96, 4),
        "colour": (96, 4),
        "position": (96,),
        "pitch": (96, 3),
        "match": (96, 2),
    }
    for name in ("shape", "colour", "pitch", "match"):
        assert answers[name].sum(1) == pytest.approx(np.ones(96))
    found = {task: {name: number for name, number in scores.items() if name != "loss"} for task, scores in evaluate(run).tasks.items()}
    assert trained.score(dataset, answers) == found


def test_one_row_or_many(trained: Trained, table: Table) -> None:
    whole = trained.predict(table)
    parts = pl.concat([trained.predict(table.take(np.array([row]))) for row in (0, 1, 2)])
    assert parts.select(pl.col(pl.String)).equals(whole[:3].select(pl.col(pl.String)))
    for name in parts.select(pl.col(pl.Float64)).columns:
        assert parts[name].to_list() == pytest.approx(whole[name][:3].to_list(), rel=1e-4)


@pytest.mark.parametrize("name", ["best", "last"])
def test_the_best_or_the_last_weights(run: Path, name: str) -> None:
    model = mmtrain.load(str(run), checkpoint_name=name, device="cpu").model
    torch.testing.assert_close(dict(model.state_dict()), checkpoint.load(run / "checkpoints" / name)["model"], rtol=0, atol=0)


def test_a_checkpoint_that_is_not_there(run: Path) -> None:
    with pytest.raises(RunError, match=r"first.state.safetensors: no such checkpoint; train until the end of the first epoch"):
        mmtrain.load(run, checkpoint_name="first")


def test_a_device_that_is_not_there(run: Path) -> None:
    with pytest.raises(ConfigError, match=r"training.device: 'gpu' cannot be used here; allowed: auto, cpu"):
        mmtrain.load(run, device="gpu")


def test_no_run(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="nowhere: no such folder; name a run folder"):
        mmtrain.load(tmp_path / "nowhere")
