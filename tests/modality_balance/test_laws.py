"""What every balance of modalities promises, for each choice in `configs/modality_balance`: a new one is tested by being there."""

import copy
import importlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from torch import Tensor
from torch.testing import assert_close

from mmtrain import checkpoint, runtime
from mmtrain.assembly import build_model, data_parts
from mmtrain.balancing import Fixed
from mmtrain.batch import FUSED, Batch, Image
from mmtrain.cli import main
from mmtrain.config import load
from mmtrain.data import Data, prepare
from mmtrain.errors import ConfigError
from mmtrain.modality_balance import ModalityBalance
from mmtrain.training import Settings
from mmtrain.training.loop import Loop
from mmtrain.training.step import Step

CHOICES = [path.stem for path in sorted((Path(__file__).parents[2] / "configs" / "modality_balance").glob("*.yaml"))]
METHODS = [name for name in CHOICES if name != "none"]
ONE = ["~data.modalities.caption", "~data.modalities.tone"]
VIEWS = ["modality_balance=blend"]  # a model that any of them can train


def prepared(words: Sequence[str]) -> Data:
    parts = data_parts(load(words).config)
    return prepare(parts.source, parts.settings, parts.modalities, parts.tasks, progress=False)


@pytest.fixture(scope="module")
def data(tiny: list[str]) -> Data:
    return prepared(tiny)


@pytest.fixture(scope="module")
def batches(data: Data) -> list[Batch]:
    """Two batches with and without each modality and label."""
    return [data.splits["train"].batch(rows) for rows in (np.arange(16), np.arange(16, 32))]


def built(choice: str, data: Data, model: Any, *, backwards: bool = False, **options: Any) -> ModalityBalance:
    path = Path(__file__).parents[2] / "configs" / "modality_balance" / f"{choice}.yaml"
    module, _, name = yaml.safe_load(path.read_text(encoding="utf-8"))["_target_"].rpartition(".")
    dims = {part: encoder.out_dim for part, encoder in model.encoder.items()}
    tasks = {task: part.spec for task, part in data.tasks.items()}
    if backwards:
        dims, tasks = dict(reversed(dims.items())), dict(reversed(tasks.items()))
    return getattr(importlib.import_module(module), name)(dims, tasks, **options)


def made(choice: str, words: Sequence[str], data: Data, *, backwards: bool = False, **options: Any) -> Step:
    machine = runtime.start(Settings(device="cpu", threads=1), seed=0)
    model = build_model(load([*words, *VIEWS]).config, data.modalities, data.tasks).train()
    balance = built(choice, data, model, backwards=backwards, **options)
    balancer = Fixed({name: task.spec for name, task in data.tasks.items()})
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    return Step(model, balancer, balance, optimizer, machine, dict.fromkeys(data.tasks, 1.0), clip=None)


def losses(step: Step, epoch: int) -> tuple[dict[str, dict[str, float]], dict[str, dict[str, float]]]:
    """Falling ones, of other speed in each view."""
    views = [FUSED, *sorted(name for name, _ in step.model.encoder.items())]
    train = {task: {view: 2.0 - 0.1 * epoch * (place + 1) for place, view in enumerate(views)} for task in step.model.tasks}
    val = {task: {view: 2.1 - 0.03 * epoch * (place + 2) for place, view in enumerate(views)} for task in step.model.tasks}
    return train, val


def after(step: Step, groups: Sequence[Sequence[Batch]], epochs: Sequence[int] = (1, 2, 3)) -> dict[str, Tensor]:
    """All parameters after these epochs of steps."""
    torch.manual_seed(0)
    for epoch in epochs:
        step.modality_balance.start_epoch(epoch)
        for group in groups:
            step(group)
        step.modality_balance.epoch_end(*losses(step, epoch))
    return {name: parameter.detach().clone() for name, parameter in step.model.named_parameters()}


def same(found: dict[str, Tensor], expected: dict[str, Tensor]) -> bool:
    return all(torch.equal(found[name], value) for name, value in expected.items())


@pytest.mark.parametrize("choice", METHODS)
def test_it_changes_what_is_learned_in_its_window_and_nothing_outside(
    choice: str, tiny: list[str], data: Data, batches: list[Batch]
) -> None:
    groups = [[batch] for batch in batches]
    plain = after(made("none", tiny, data), groups)
    assert not same(after(made(choice, tiny, data), groups), plain)
    assert same(after(made(choice, tiny, data, first_epoch=9), groups), plain)
    assert same(after(made(choice, tiny, data, last_epoch=1), groups, (2, 3, 4)), plain)


@pytest.mark.parametrize("choice", METHODS)
def test_a_window_that_ends_before_it_begins_is_refused(choice: str, tiny: list[str], data: Data) -> None:
    with pytest.raises(ConfigError, match=r"last_epoch: 2 is before modality_balance.first_epoch=3"):
        made(choice, tiny, data, first_epoch=3, last_epoch=2)


@pytest.mark.parametrize("choice", CHOICES)
def test_what_is_absent_or_unlabelled_changes_nothing_to_the_bit(choice: str, tiny: list[str], data: Data, batches: list[Batch]) -> None:
    def spoilt(batch: Batch) -> Batch:
        picture = torch.where(batch.present["picture"][:, None, None, None], batch.inputs["picture"].pixels, 99)
        wrong = {task: torch.nan if target.is_floating_point() else 3 for task, target in batch.targets.items()}
        targets = {task: torch.where(batch.labelled[task], target, wrong[task]) for task, target in batch.targets.items()}
        return replace(batch, inputs={**batch.inputs, "picture": Image(picture)}, targets=targets)

    expected = after(made(choice, tiny, data), [[batch] for batch in batches])
    assert same(after(made(choice, tiny, data), [[spoilt(batch)] for batch in batches]), expected)


@pytest.mark.parametrize("choice", CHOICES)
def test_the_order_of_modalities_and_tasks_changes_nothing(choice: str, tiny: list[str], data: Data, batches: list[Batch]) -> None:
    one, other = made(choice, tiny, data, backwards=True), made(choice, tiny, data)
    assert same(after(one, [batches]), after(other, [batches]))
    assert_close(one.modality_balance.state_dict(), other.modality_balance.state_dict(), rtol=0, atol=0)


@pytest.mark.parametrize("choice", METHODS)
def test_one_modality_is_trained_as_ever_and_told(choice: str, tiny: list[str]) -> None:
    words = [*tiny, *ONE]
    alone = prepared(words)
    groups = [[alone.splits["train"].batch(np.arange(16))]]
    step = made(choice, words, alone)
    assert same(after(step, groups), after(made("none", words, alone), groups))
    assert step.modality_balance.notes == [f"modality_balance={choice}: there is only one modality, so that it has no effect"]


@pytest.mark.parametrize("choice", CHOICES)
def test_a_modality_that_no_row_has(choice: str, tiny: list[str], data: Data, batches: list[Batch]) -> None:
    train = data.splits["train"]
    groups = [[train.batch(np.flatnonzero(~train.present[name])[:6])] for name in sorted(train.present)]
    nothing = np.flatnonzero(~np.logical_or.reduce(list(train.present.values())))
    with_others = [[batches[0], train.batch(nothing[:1] if len(nothing) else np.arange(1))]]
    step = made(choice, tiny, data)
    assert all(value.isfinite().all() for value in after(step, [*groups, [batches[0]], *with_others], (1, 2)).values())
    assert all(value.isfinite().all() for value in step.modality_balance.buffers())


@pytest.mark.parametrize("choice", CHOICES)
def test_nothing_that_it_remembers_is_trained(choice: str, tiny: list[str], data: Data) -> None:
    assert list(made(choice, tiny, data).modality_balance.parameters()) == []


@pytest.mark.parametrize("choice", METHODS)
def test_other_fusions_and_stand_ins_train(choice: str, tiny: list[str], data: Data, batches: list[Batch]) -> None:
    for words in (["fusion=gated", "missing=zero", "missing.dropout=0.3"], ["fusion=late"], ["fusion=transformer", "missing=drop"]):
        found = after(made(choice, [*tiny, *words], data), [batches[:1]], (1, 2))
        assert all(value.isfinite().all() for value in found.values())


@pytest.mark.parametrize("choice", CHOICES)
def test_its_state_between_two_steps_is_all(choice: str, tiny: list[str], data: Data, batches: list[Batch]) -> None:
    straight, stopped = made(choice, tiny, data), made(choice, tiny, data)
    groups = [[batch] for batch in batches]
    expected = after(straight, groups, (1, 2, 3))
    after(stopped, groups, (1,))
    stopped.modality_balance.start_epoch(2)
    stopped(groups[0])
    noise = torch.get_rng_state()
    again = made(choice, tiny, data)
    again.model.load_state_dict(stopped.model.state_dict())
    again.modality_balance.load_state_dict(copy.deepcopy(stopped.modality_balance.state_dict()))
    again.modality_balance.start_epoch(2)
    torch.set_rng_state(noise)
    again(groups[1])
    again.modality_balance.epoch_end(*losses(again, 2))
    again.modality_balance.start_epoch(3)
    for group in groups:
        again(group)
    assert same(dict(again.model.named_parameters()), expected)


@pytest.mark.parametrize("choice", METHODS)
def test_stopped_and_resumed_equals_never_stopped(choice: str, tiny: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["train", *tiny, f"modality_balance={choice}", "missing.dropout=0.2", "training.checkpoint_seconds=0"]
    assert main([*words, f"hydra.run.dir={tmp_path / 'straight'}"]) == 0
    take_step, taken = Loop.take_step, [0]

    def stopping(self: Loop, group: Any) -> None:
        if taken[0] == 4:  # in the middle of the second epoch
            raise KeyboardInterrupt
        taken[0] += 1
        take_step(self, group)

    with monkeypatch.context() as patch:
        patch.setattr(Loop, "take_step", stopping)
        assert main([*words, f"hydra.run.dir={tmp_path / 'stopped'}"]) != 0
    torch.manual_seed(99)
    assert main(["train", "--resume", str(tmp_path / "stopped")]) == 0
    found, expected = (checkpoint.load(tmp_path / name / "checkpoints" / "last") for name in ("stopped", "straight"))
    assert_close(found["model"], expected["model"], rtol=0, atol=0)
    assert found["modality_balance"].keys() == expected["modality_balance"].keys()
    for name, value in expected["modality_balance"].items():
        assert (
            torch.equal(found["modality_balance"][name], value) if isinstance(value, Tensor) else found["modality_balance"][name] == value
        )
