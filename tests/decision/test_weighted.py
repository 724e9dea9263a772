"""Weights of views against numpy."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from mmtrain.decision import Mean, Weighted
from mmtrain.errors import ConfigError
from mmtrain.spec import TaskSpec

VIEWS = ["tone", "fused", "image"]
CLASSES, BINARY = TaskSpec(9, gaussian=False, prediction="classes", shape=(4,)), TaskSpec(9, gaussian=False, prediction="binary")
NUMBERS = TaskSpec(9, gaussian=True)
SPECS = {"classes": CLASSES, "binary": BINARY, "numbers": NUMBERS}


def weighing(weights: dict[str, float]) -> Callable[..., object]:
    def merge(said: Sequence[np.ndarray], names: Sequence[str]) -> object:
        return np.average(said, axis=0, weights=[weights[name] for name in names])

    return merge


def test_fixed_weights(draw: Callable[..., Any], by_hand: Callable[..., Tensor], kind: str) -> None:
    """A view that is not named counts 1; shares of absent views go to the others in proportion."""
    given = draw(kind)
    decision = Weighted(VIEWS, SPECS[kind], weights={"image": 3.0, "tone": 0.5})
    assert_close(decision(*given), by_hand(given, weighing({"image": 3.0, "tone": 0.5, "fused": 1.0})))
    assert list(decision.parameters()) == []
    assert decision.state_dict() == {}


def test_learned_weights(draw: Callable[..., Any], by_hand: Callable[..., Tensor], kind: str) -> None:
    """The softmax of one number a view, in the order of the alphabet."""
    given, decision = draw(kind), Weighted(VIEWS, SPECS[kind])
    with torch.no_grad():
        decision.logits.copy_(torch.tensor([0.3, -1.0, 2.0]))
    assert_close(decision(*given), by_hand(given, weighing({"fused": np.exp(0.3), "image": np.exp(-1), "tone": np.exp(2)})))


def test_it_starts_as_the_mean(draw: Callable[..., Any], kind: str) -> None:
    given = draw(kind)
    assert_close(Weighted(VIEWS, SPECS[kind])(*given), Mean(VIEWS, SPECS[kind])(*given))


def test_a_view_of_next_to_no_weight_answers_where_no_other_can() -> None:
    decision = Weighted(["image", "tone"], NUMBERS, weights={"tone": 1e-9})
    predictions = {"image": torch.tensor([1.0, 1.0]), "tone": torch.tensor([5.0, 5.0])}
    present = {"image": torch.tensor([True, False]), "tone": torch.tensor([True, True])}
    assert_close(decision(predictions, present, torch.tensor(0.0)), torch.tensor([1.0, 5.0]))


def test_a_weight_for_no_view() -> None:
    with pytest.raises(ConfigError, match=r"weights: 'imag' is no view; did you mean 'image'\? allowed: fused, image, tone"):
        Weighted(VIEWS, CLASSES, weights={"imag": 2.0})
