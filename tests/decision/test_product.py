"""Products of probabilities against numpy, and against Bayes' rule."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from mmtrain.decision import Product
from mmtrain.spec import TaskSpec

VIEWS = ["tone", "fused", "image"]
CLASSES, BINARY = TaskSpec(9, gaussian=False, prediction="classes", shape=(4,)), TaskSpec(9, gaussian=False, prediction="binary")
FREQUENCIES = np.array([0.1, 0.2, 0.3, 0.4])  # the prior of conftest.py

Prior = Literal["train", "uniform"]
each_prior = pytest.mark.parametrize("prior", ["train", "uniform"])


def multiplied(probabilities: Sequence[np.ndarray], frequencies: np.ndarray, prior: str) -> np.ndarray:
    product = np.prod(probabilities, 0)
    if prior == "train":
        product = product / frequencies ** (len(probabilities) - 1)
    return np.asarray(product / product.sum())


@each_prior
def test_classes(draw: Callable[..., Any], by_hand: Callable[..., Tensor], prior: Prior) -> None:
    given = draw("classes")

    def merge(said: Sequence[np.ndarray], names: Sequence[str]) -> np.ndarray:
        return np.log(multiplied([np.exp(logits) / np.exp(logits).sum() for logits in said], FREQUENCIES, prior))

    assert_close(Product(VIEWS, CLASSES, prior=prior)(*given).softmax(1), by_hand(given, merge).exp())


@each_prior
def test_yes_or_no(draw: Callable[..., Any], by_hand: Callable[..., Tensor], prior: Prior) -> None:
    given = draw("binary")
    share = 1 / (1 + np.exp(0.7))  # the prior of conftest.py

    def merge(said: Sequence[np.ndarray], names: Sequence[str]) -> np.ndarray:
        shares = [1 / (1 + np.exp(-logit)) for logit in said]
        no, yes = multiplied([np.array([1 - yes, yes]) for yes in shares], np.array([1 - share, share]), prior)
        return np.log(yes / no)

    assert_close(Product(VIEWS, BINARY, prior=prior)(*given), by_hand(given, merge))


@each_prior
def test_of_numbers_it_is_the_mean(draw: Callable[..., Any], by_hand: Callable[..., Tensor], prior: Prior) -> None:
    given = draw("numbers")
    assert_close(Product(VIEWS, TaskSpec(9, gaussian=True), prior=prior)(*given), by_hand(given, lambda said, names: np.mean(said, 0)))


def test_it_is_right_where_views_are_independent_given_the_class() -> None:
    """Two coins that say something of a rare class: what both say together, by counting."""
    frequencies = np.array([0.9, 0.1])
    heads = {"image": np.array([0.2, 0.7]), "tone": np.array([0.5, 0.8])}  # chance of heads in each class
    alone = {view: torch.from_numpy(np.log(frequencies * chance)).float()[None] for view, chance in heads.items()}
    both = frequencies * heads["image"] * heads["tone"]
    present = dict.fromkeys(heads, torch.tensor([True]))
    prior = torch.from_numpy(np.log(frequencies)).float()
    decided = Product(["image", "tone"], TaskSpec(9, gaussian=False, prediction="classes", shape=(2,)))(alone, present, prior)
    assert_close(decided.softmax(1)[0], torch.from_numpy(both / both.sum()).float())


def test_a_view_that_knows_nothing_changes_nothing(draw: Callable[..., Any]) -> None:
    predictions, present, prior = draw("classes", ["image", "tone"])
    everywhere = {**present, "tone": torch.ones(8, dtype=torch.bool)}
    blank = {**predictions, "tone": prior.expand(8, 4) + 3.0}
    expected = torch.where(present["image"][:, None], predictions["image"], prior).softmax(1)
    assert_close(Product(["image", "tone"], CLASSES)(blank, everywhere, prior).softmax(1), expected)
