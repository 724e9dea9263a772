"""The surest view, against numpy."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.testing import assert_close

from mmtrain.decision import Confident
from mmtrain.spec import TaskSpec

VIEWS = ["tone", "fused", "image"]
CLASSES, BINARY = TaskSpec(9, gaussian=False, prediction="classes", shape=(4,)), TaskSpec(9, gaussian=False, prediction="binary")
THERE = torch.tensor([True])


def decide(spec: TaskSpec, **said: Tensor) -> Tensor:
    decided: Tensor = Confident(list(said), spec)(said, dict.fromkeys(said, THERE), torch.zeros(spec.shape))
    return decided


def test_classes(draw: Callable[..., Any], by_hand: Callable[..., Tensor]) -> None:
    given = draw("classes")

    def merge(said: Sequence[np.ndarray], names: Sequence[str]) -> np.ndarray:
        return max(said, key=lambda logits: np.exp(logits).max() / np.exp(logits).sum())

    assert torch.equal(Confident(VIEWS, CLASSES)(*given), by_hand(given, merge))


def test_yes_or_no(draw: Callable[..., Any], by_hand: Callable[..., Tensor]) -> None:
    given = draw("binary")

    def merge(said: Sequence[np.ndarray], names: Sequence[str]) -> np.ndarray:
        return max(said, key=lambda logit: max(1 / (1 + np.exp(-logit)), 1 / (1 + np.exp(logit))))

    assert torch.equal(Confident(VIEWS, BINARY)(*given), by_hand(given, merge))


def test_numbers_are_averaged(draw: Callable[..., Any], by_hand: Callable[..., Tensor]) -> None:
    given = draw("numbers")
    assert_close(Confident(VIEWS, TaskSpec(9, gaussian=True))(*given), by_hand(given, lambda said, names: np.mean(said, 0)))


def test_of_equally_sure_views_the_first_by_name() -> None:
    """Sure of different classes, with logits that differ by a constant too."""
    said = {"tone": torch.tensor([[1.0, 0.0]]), "image": torch.tensor([[2.0, 3.0]]), "words": torch.tensor([[0.5, 0.0]])}
    spec = TaskSpec(9, gaussian=False, prediction="classes", shape=(2,))
    assert torch.equal(decide(spec, **said), said["image"])
    assert decide(BINARY, tone=torch.tensor([2.0]), image=torch.tensor([-2.0])).item() == -2.0


def test_views_that_are_all_but_certain_still_differ() -> None:
    """A probability of 1 - exp(-50) is 1 in float32 and in float64."""
    said = {"image": torch.tensor([[50.0, 0.0, 0.0, 0.0]]), "tone": torch.tensor([[0.0, 80.0, 0.0, 0.0]])}
    assert torch.equal(decide(CLASSES, **said), said["tone"])


def test_only_the_surest_view_gets_a_gradient() -> None:
    said = {
        "image": torch.tensor([[1.0, 0.0, 0.0, 0.0]], requires_grad=True),
        "tone": torch.tensor([[0.0, 2.0, 0.0, 0.0]], requires_grad=True),
    }
    decide(CLASSES, **said).sum().backward()
    assert torch.equal(said["image"].grad, torch.zeros(1, 4))  # type: ignore[arg-type]
    assert torch.equal(said["tone"].grad, torch.ones(1, 4))  # type: ignore[arg-type]


def test_a_view_that_knows_nothing_goes_before_an_absent_one() -> None:
    said = {"image": torch.full((1, 4), 9.0, requires_grad=True), "tone": torch.full((1, 4), 7.0, requires_grad=True)}
    decided = Confident(["image", "tone"], CLASSES)(said, {"image": ~THERE, "tone": THERE}, torch.zeros(4))
    decided.sum().backward()
    assert torch.equal(decided, said["tone"])
    assert torch.equal(said["tone"].grad, torch.ones(1, 4))  # type: ignore[arg-type]
