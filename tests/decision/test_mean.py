"""The mean of logits, and that of probabilities, against numpy."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.testing import assert_close

from mmtrain.decision import Mean
from mmtrain.spec import TaskSpec

VIEWS = ["tone", "fused", "image"]
CLASSES, BINARY = TaskSpec(9, gaussian=False, prediction="classes", shape=(4,)), TaskSpec(9, gaussian=False, prediction="binary")
NUMBERS = TaskSpec(9, gaussian=True)


def softmax(logits: np.ndarray) -> np.ndarray:
    return np.asarray(np.exp(logits) / np.exp(logits).sum())


def test_the_mean_of_what_views_predict(draw: Callable[..., Any], by_hand: Callable[..., Tensor], kind: str) -> None:
    """`fused` counts like any other view."""
    given = draw(kind)
    spec = {"classes": CLASSES, "binary": BINARY, "numbers": NUMBERS}[kind]
    assert_close(Mean(VIEWS, spec)(*given), by_hand(given, lambda said, names: np.mean(said, 0)))


def test_the_mean_of_probabilities(draw: Callable[..., Any], by_hand: Callable[..., Tensor]) -> None:
    given = draw("classes")

    def merge(said: Sequence[np.ndarray], names: Sequence[str]) -> np.ndarray:
        return np.log(np.mean([softmax(logits) for logits in said], 0))

    assert_close(Mean(VIEWS, CLASSES, of="probabilities")(*given), by_hand(given, merge))


def test_the_mean_of_probabilities_of_yes(draw: Callable[..., Any], by_hand: Callable[..., Tensor]) -> None:
    given = draw("binary")

    def merge(said: Sequence[np.ndarray], names: Sequence[str]) -> np.ndarray:
        share = np.mean([1 / (1 + np.exp(-logit)) for logit in said])
        return np.log(share / (1 - share))

    assert_close(Mean(VIEWS, BINARY, of="probabilities")(*given), by_hand(given, merge))


def test_numbers_are_averaged_as_they_are(draw: Callable[..., Any]) -> None:
    given = draw("numbers")
    assert torch.equal(Mean(VIEWS, NUMBERS, of="probabilities")(*given), Mean(VIEWS, NUMBERS)(*given))


def test_probabilities_that_float32_cannot_tell_from_1() -> None:
    """Of the logits 200 and 200 it is 200; of 200 and -200 it is 0."""
    predictions = {"image": torch.tensor([200.0, 200.0]), "tone": torch.tensor([200.0, -200.0])}
    present = dict.fromkeys(predictions, torch.tensor([True, True]))
    decided = Mean(["image", "tone"], BINARY, of="probabilities")(predictions, present, torch.tensor(0.0))
    assert_close(decided, torch.tensor([200.0, 0.0]))
