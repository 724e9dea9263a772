"""A learned map of all views' predictions, against numpy."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.testing import assert_close

from mmtrain.decision import Mean, Stack
from mmtrain.spec import TaskSpec

VIEWS = ["tone", "fused", "image"]
CLASSES, BINARY = TaskSpec(9, gaussian=False, prediction="classes", shape=(4,)), TaskSpec(9, gaussian=False, prediction="binary")
SPECS = {"classes": CLASSES, "binary": BINARY, "numbers": TaskSpec(9, gaussian=True)}


def test_it_starts_as_the_mean(draw: Callable[..., Any], kind: str) -> None:
    given = draw(kind)
    assert torch.equal(Stack(VIEWS, SPECS[kind])(*given), Mean(VIEWS, SPECS[kind])(*given))


def test_the_mean_and_a_map_of_all_views(draw: Callable[..., Any], by_hand: Callable[..., Tensor], kind: str) -> None:
    """The map sees the views in the order of the alphabet, zeros for the absent ones, and then a flag for each."""
    given, stack = draw(kind), Stack(VIEWS, SPECS[kind])
    assert stack.map is not None
    torch.nn.init.normal_(stack.map.weight)
    weight = stack.map.weight.detach().double().numpy()
    width = weight.shape[0]

    def merge(said: list[np.ndarray], names: list[str]) -> np.ndarray:
        found = dict(zip(names, said, strict=True))
        seen = [np.atleast_1d(found.get(view, np.zeros(width))) for view in sorted(VIEWS)]
        flags = [float(view in names) for view in sorted(VIEWS)]
        return np.asarray(np.mean(said, 0) + (weight @ np.concatenate([*seen, flags])).reshape(np.shape(said[0])))

    assert_close(stack(*given), by_hand(given, merge), rtol=1e-5, atol=1e-5)


def test_predictions_for_each_token_are_averaged() -> None:
    views = {name: torch.randn(5, 2, 4) for name in VIEWS}
    present = dict.fromkeys(VIEWS, torch.ones(5, dtype=torch.bool))
    stack = Stack(VIEWS, replace(CLASSES, whole=False))
    assert list(stack.parameters()) == []
    assert_close(stack(views, present, torch.zeros(4)), torch.stack(list(views.values())).mean(0))
    nobody = dict.fromkeys(VIEWS, torch.zeros(5, dtype=torch.bool))
    assert_close(stack(views, nobody, torch.arange(4.0)), torch.arange(4.0).expand(5, 2, 4))


def test_it_learns_whom_to_believe_for_which_class() -> None:
    """The image tells classes 0 and 1 apart, the tone 2 and 3, and each is misled about the others."""
    torch.manual_seed(0)
    target = torch.randint(4, (256,))
    own = 3.0 * torch.eye(4)[target]
    noise = 3.0 * torch.randn(2, 256, 4)
    first = torch.tensor([1.0, 1.0, 0.0, 0.0])
    predictions = {"image": torch.where(first > 0, own, noise[0]), "tone": torch.where(first > 0, noise[1], own)}
    present = dict.fromkeys(predictions, torch.ones(256, dtype=torch.bool))
    stack, prior = Stack(["image", "tone"], CLASSES), torch.zeros(4)
    start = cross_entropy(stack(predictions, present, prior), target)
    optimizer = torch.optim.Adam(stack.parameters(), lr=0.1)
    for _ in range(50):
        optimizer.zero_grad()
        cross_entropy(stack(predictions, present, prior), target).backward()
        optimizer.step()
    assert cross_entropy(stack(predictions, present, prior), target) < 0.2 < 0.5 < start


def test_views_learn_through_the_map() -> None:
    """Their gradient is that of the mean plus that of the map."""
    stack = Stack(["image", "tone"], SPECS["numbers"])
    assert stack.map is not None
    with torch.no_grad():
        stack.map.weight.copy_(torch.tensor([[0.25, -0.5, 0.0, 0.0]]))
    predictions = {view: torch.tensor([1.0], requires_grad=True) for view in ("image", "tone")}
    stack(predictions, dict.fromkeys(predictions, torch.tensor([True])), torch.tensor(0.0)).sum().backward()
    assert [values.grad for values in predictions.values()] == [torch.tensor([0.75]), torch.tensor([0.0])]
