"""What every loss promises, for each choice in `configs/loss`: a new one is tested by being there."""

import importlib
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from torch import Tensor
from torch.testing import assert_close

from mmtrain.config.signature import signature
from mmtrain.spec import TargetSpec

CHOICES = sorted((Path(__file__).parents[2] / "configs" / "loss").glob("*.yaml"))
SPECS = {
    "classes": TargetSpec("mood", {"calm": 6, "sad": 3, "wild": 1}),
    "numbers": TargetSpec("size"),
    "counts": TargetSpec("visits"),
    "quantiles": TargetSpec("size", quantiles=(0.2, 0.5, 0.9)),
    "sets": TargetSpec("tags", {"a": 6, "b": 3, "c": 2}),
}


def target_of(path: Path) -> str:
    return str(yaml.safe_load(path.read_text(encoding="utf-8"))["_target_"])


@pytest.fixture(params=CHOICES, ids=[path.stem for path in CHOICES])
def loss(request: pytest.FixtureRequest) -> Any:
    module, _, name = target_of(request.param).rpartition(".")
    part = getattr(importlib.import_module(module), name)
    return part(SPECS[part.targets])


def drawn(loss: Any, rows: int = 12) -> tuple[Tensor, Tensor]:
    if loss.targets == "classes":
        return torch.randn(rows, 3), torch.randint(3, (rows,))
    if loss.targets == "sets":
        return torch.randn(rows, 3), torch.randint(2, (rows, 3))
    if loss.targets == "quantiles":
        return torch.randn(rows, 3), torch.randn(rows)
    return torch.randn(rows), torch.randn(rows) if loss.targets == "numbers" else torch.randint(1, 9, (rows,)).float()


@pytest.mark.parametrize("path", CHOICES, ids=[path.stem for path in CHOICES])
def test_its_targets_can_be_read_without_torch(path: Path) -> None:
    constants = signature(target_of(path), "", ()).constants
    assert constants["targets"] in SPECS
    assert constants["gaussian"] is (path.stem == "squared")


def test_one_number_a_row_none_below_0(loss: Any) -> None:
    found = loss(*drawn(loss))
    assert found.shape == (12,)
    assert found.dtype == torch.float32
    assert (found >= 0).all()


def test_a_row_does_not_see_the_others(loss: Any) -> None:
    prediction, target = drawn(loss)
    assert_close(loss(prediction[3:4], target[3:4]), loss(prediction, target)[3:4])


def test_no_rows_no_losses(loss: Any) -> None:
    prediction, target = drawn(loss, 0)
    assert loss(prediction, target).shape == (0,)


def test_a_right_answer_costs_next_to_nothing(loss: Any) -> None:
    prediction, target = drawn(loss)
    right = {
        "classes": lambda: 30.0 * torch.eye(3)[target],
        "sets": lambda: 60.0 * target - 30,
        "quantiles": lambda: target[:, None].expand(-1, 3),
        "counts": target.log,
    }
    right_answer = right.get(loss.targets, lambda: target)()
    assert_close(loss(right_answer, target), torch.zeros(12))
    assert (loss(prediction, target) > 0).all()


def test_every_row_gets_a_gradient(loss: Any) -> None:
    prediction, target = drawn(loss)
    prediction.requires_grad_()
    loss(prediction, target).sum().backward()
    assert prediction.grad is not None
    assert prediction.grad.reshape(12, -1).abs().sum(1).gt(0).all()


def test_half_precision_predictions_in_float32_lose_nothing(loss: Any) -> None:
    """The model hands over float32 whatever the precision of its layers."""
    prediction, target = drawn(loss)
    assert_close(loss(prediction.bfloat16().float(), target), loss(prediction, target), rtol=0.1, atol=0.1)
