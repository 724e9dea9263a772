"""A task that stopped rising rests, and the others train on as if none of its rows had a label."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mmtrain import checkpoint
from mmtrain.batch import FUSED, Batch
from mmtrain.cli import main
from mmtrain.config import load
from mmtrain.folder import RunFolder
from mmtrain.train import open_session, prepare_data, resume
from mmtrain.training.stopping import TaskStops

METHODS = ["fixed", "uncertainty", "dwa", "famo", "stch", "gradnorm", "upgrad", "gradvac", "upgrad balancing.level=parameters"]


def after(*epochs: tuple[float | None, float | None], patience: int | None = 2) -> TaskStops:
    """Two tasks after epochs of these skills."""
    stops = TaskStops(["one", "two"], patience)
    for one, two in epochs:
        stops.end_epoch({"one": one, "two": two})
    return stops


@pytest.mark.parametrize(
    ("epochs", "stopped", "best"),
    [
        ([(0.1, 0.1), (0.2, 0.1), (0.3, 0.05)], ["two"], (0.3, 0.1)),
        ([(0.1, 0.1), (0.1, 0.0), (0.2, 0.2)], [], (0.2, 0.2)),
        ([(0.5, 0.1), (0.4, 0.1), (0.4, 0.1)], ["one", "two"], (0.5, 0.1)),
        ([(0.5, 0.1), (0.4, 0.2), (0.4, 0.3), (0.9, 0.4)], ["one"], (0.9, 0.4)),  # once stopped, what the others teach it counts no more
        ([(None, 0.1), (None, 0.2), (None, 0.3)], [], (None, 0.3)),  # nothing to judge by
        ([(0.5, 0.1), (0.4, 0.2), (None, 0.3), (0.4, 0.4)], ["one"], (0.5, 0.4)),
    ],
)
def test_which_tasks_are_stopped(epochs: list[Any], stopped: list[str], best: tuple[float | None, float | None]) -> None:
    stops = after(*epochs)
    assert stops.stopped == stopped
    assert stops.all == (len(stopped) == 2)
    assert (stops.best["one"], stops.best["two"]) == best
    other = TaskStops(["one", "two"], 2)
    other.load_state_dict(json.loads(json.dumps(stops.state_dict())))
    assert (other.best, other.stale) == (stops.best, stops.stale)


def test_a_stop_is_told_once_and_without_the_option_never() -> None:
    stops = after((0.5, 0.1))
    assert [stops.end_epoch({"one": 0.2, "two": 0.2 + epoch}) for epoch in range(3)] == [[], ["one"], []]
    assert stops.line("one") == "tasks.one: trains no further; no skill on val was above 0.500 for 2 epochs"
    assert after(*[(0.5, 0.1)] * 9, patience=None).stopped == []


@pytest.mark.parametrize("method", METHODS)
def test_the_others_train_as_if_it_had_no_label(method: str, tiny: list[str], tmp_path: Path) -> None:
    """To the bit: two steps beside two in which its labels are taken away, with a word of its head in neither."""
    config = load([*tiny, *f"balancing={method}".split(), "training.per_task_stop=1", "tracker=none", "fusion.dropout=0.2"]).config
    data = prepare_data(config)
    ends = []
    for stop in (True, False):
        with open_session(config, data, RunFolder(tmp_path / str(stop)), live=False) as session:
            loop = session.loop
            loop.stops.stale["shape"] = int(stop)
            loop.begin_epoch()
            before = {name: value.clone() for name, value in loop.model.state_dict().items()}
            for group in list(loop.groups())[:2]:
                loop.take_step(group if stop else [unlabelled(batch) for batch in group])
            ends.append(loop.model.state_dict())
            assert "shape" not in loop.weights and len(loop.weights) == 4
            assert all(torch.equal(value, before[name]) for name, value in ends[-1].items() if name.startswith("head.shape."))
            assert not all(torch.equal(value, before[name]) for name, value in ends[-1].items() if name.startswith("head.match."))
            assert stop != any(parameter.requires_grad for parameter in loop.model.head["shape"].parameters())
            assert stop != loop.model.head["shape"].training
    assert all(torch.equal(value, ends[1][name]) for name, value in ends[0].items())


def unlabelled(batch: Batch) -> Batch:
    """The batch as a table gives it in which no row has a shape."""
    scored = {task: {view: rows if task != "shape" else rows[:0] for view, rows in views.items()} for task, views in batch.scored.items()}
    assert len(batch.scored["shape"][FUSED]) > 0
    return Batch(**vars(batch) | {"scored": scored, "labelled": {**batch.labelled, "shape": torch.zeros(len(batch), dtype=torch.bool)}})


@pytest.fixture(scope="module")
def stopped(tiny: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose weights hardly move, so that few skills rise."""
    folder = tmp_path_factory.mktemp("stopped") / "run"
    words = [*tiny, "optimizer.lr=1e-6", "training.per_task_stop=1", "training.epochs=6", "training.checkpoint_seconds=0"]
    assert main(["train", *words, "scheduler=constant", "data.val=32", f"hydra.run.dir={folder}"]) == 0
    return folder


def test_a_run_tells_which_tasks_were_stopped(stopped: Path) -> None:
    lines = RunFolder(stopped).read_metrics()
    val, train = ([line["tasks"] for line in lines if line["split"] == split] for split in ("val", "train"))
    log = (stopped / "train.log").read_text()
    ends = []
    for task in val[0]:
        skills = [line[task]["skill"] for line in val]
        assert [line[task]["best"] for line in val] == list(np.maximum.accumulate(skills))
        ends.append(next((epoch for epoch in range(1, len(val)) if skills[epoch] <= max(skills[:epoch])), None))
        trained = len(val) if ends[-1] is None else ends[-1] + 1
        assert [line[task]["weight"] for line in train] == [1.0] * trained + [None] * (len(val) - trained)
        assert [line[task]["loss"] is None for line in train] == [False] * trained + [True] * (len(val) - trained)
        assert (f"tasks.{task}: trains no further" in log) == (ends[-1] is not None)
    assert any(end is not None for end in ends)
    assert len(val) == 6 or None not in ends


def test_without_a_task_that_trains_there_is_nothing_left_to_do(tiny: list[str], tmp_path: Path) -> None:
    config = load([*tiny, "training.per_task_stop=2", "tracker=none"]).config
    with open_session(config, prepare_data(config), RunFolder(tmp_path), live=False) as session:
        for task in session.loop.stops.stale:
            assert not session.loop.finished
            session.loop.stops.stale[task] = 2
        assert session.loop.finished


def test_a_resumed_run_has_the_same_stops(stopped: Path, tiny: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Interrupted in the second epoch, when the first tasks have been stopped."""
    from mmtrain.training.loop import Loop

    take_step, taken = Loop.take_step, [0]

    def interrupted(self: Loop, group: Any) -> None:
        taken[0] += 1
        if taken[0] == 8:
            raise KeyboardInterrupt
        take_step(self, group)

    words = [*tiny, "optimizer.lr=1e-6", "training.per_task_stop=1", "training.epochs=6", "training.checkpoint_seconds=0"]
    with monkeypatch.context() as patch:
        patch.setattr(Loop, "take_step", interrupted)
        main(["train", *words, "scheduler=constant", "data.val=32", f"hydra.run.dir={tmp_path / 'run'}"])
    assert checkpoint.load(tmp_path / "run" / "checkpoints" / "last")["progress"]["batch"] == 1
    resume(tmp_path / "run", load([*words, "scheduler=constant", "data.val=32"]).config)
    found, expected = (checkpoint.load(folder / "checkpoints" / "last") for folder in (tmp_path / "run", stopped))
    for part in ("model", "optimizer", "stops"):
        torch.testing.assert_close(found[part], expected[part], rtol=0, atol=0)
