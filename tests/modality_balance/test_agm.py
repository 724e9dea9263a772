"""Contributions, ratios and gradients against NumPy."""

from collections.abc import Callable
from itertools import combinations, permutations

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional
from torch.testing import assert_close

from mmtrain.errors import ConfigError
from mmtrain.modality_balance import AGM, Pass
from mmtrain.spec import TaskSpec

Given = Callable[..., Pass]
TASKS = {"shape": TaskSpec(4, gaussian=False)}
LABELS = torch.tensor([0, 2, 1])
ALL = torch.ones(3, dtype=torch.bool)


def method(*names: str, **options: float) -> AGM:
    made = AGM(dict.fromkeys(names, 3), TASKS, **options)  # type: ignore[arg-type]
    made.start_epoch(1)
    return made


def logs(logits: np.ndarray) -> np.ndarray:
    return np.asarray(logits - np.log(np.exp(logits).sum(-1, keepdims=True)))


def cross_entropy(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    return -logs(logits)[np.arange(len(labels)), labels]


class Game:
    """A model that adds what modalities say, and something that only both together say."""

    def __init__(self, seed: int = 0) -> None:
        random = torch.Generator().manual_seed(seed)
        self.parts = {name: torch.randn(3, 3, generator=random).requires_grad_() for name in ("a", "b", "both")}

    def __call__(self, coalition: tuple[str, ...]) -> dict[str, Tensor]:
        said = [self.parts[name] for name in coalition] + ([self.parts["both"]] if len(coalition) == 2 else [])
        return {"shape": torch.stack(said).sum(0)}

    def contributions(self) -> dict[str, np.ndarray]:
        values = {name: part.detach().numpy() for name, part in self.parts.items()}
        return {name: values[name] + values["both"] / 2 for name in ("a", "b")}


def test_two_batches_by_hand(passed: Given) -> None:
    """Values stay; each part's gradient is scaled by the factor of those who contribute it."""
    balance, labels = method("b", "a", alpha=0.8), LABELS.numpy()
    average = {"a": 0.0, "b": 0.0}
    for batch in range(2):
        game = Game(seed=batch)
        given = passed(game, {"shape": LABELS}, {"a": ALL, "b": ALL})
        predictions, penalties = balance.adapt(given)
        assert penalties == {} and torch.equal(predictions["shape"], given.predictions["shape"])
        functional.cross_entropy(predictions["shape"], LABELS).backward()
        loss = {name: cross_entropy(said, labels).mean() for name, said in game.contributions().items()}
        factor = {}
        for name, other in (("a", "b"), ("b", "a")):
            running = np.exp(average[other] - average[name])
            factor[name] = np.exp(0.8 * min(running - np.exp(loss[other] - loss[name]), 10))
        assert abs(factor["a"] - 1) > 0.05
        outer = (np.exp(logs(given.predictions["shape"].detach().numpy())) - np.eye(3)[labels]) / 3
        scales = factor | {"both": (factor["a"] + factor["b"]) / 2}
        for name, part in game.parts.items():
            assert_close(part.grad, torch.tensor(outer * scales[name], dtype=torch.float32), rtol=1e-4, atol=1e-6)
        average = {name: average[name] * batch / (batch + 1) + loss[name] / (batch + 1) for name in average}
    assert_close(balance.average, torch.tensor([average["a"], average["b"]], dtype=torch.float32))
    assert balance.batches.tolist() == [2, 2]


def test_contributions_are_shapley_values_of_what_a_row_has(passed: Given) -> None:
    """Against the mean over all orders in which modalities can arrive; an empty coalition answers 0, not the prior."""
    names = ("a", "b", "c")
    subsets = [subset for size in (1, 2, 3) for subset in combinations(names, size)]
    random = np.random.default_rng(0)
    table = {subset: random.normal(size=3).astype(np.float32) for subset in subsets}
    present = {"a": torch.tensor([True, False, True]), "b": ALL, "c": torch.tensor([True, True, False])}

    def value(coalition: tuple[str, ...], row: int) -> np.ndarray:
        left = tuple(name for name in coalition if present[name][row])
        return table[left] if left else np.full(3, 7.0, np.float32)

    def answer(coalition: tuple[str, ...]) -> dict[str, Tensor]:
        return {"shape": torch.tensor(np.stack([value(coalition, row) for row in range(3)]))}

    balance = method(*names)
    given = passed(answer, {"shape": LABELS}, present)
    answers = [answer(coalition) for coalition in balance.coalitions]
    found = balance._contributions(given, answers)["shape"]
    for place, name in enumerate(names):
        for row in range(3):
            gains = []
            for order in permutations(names):
                before = tuple(sorted(order[: order.index(name)]))
                start = value(before, row) if any(present[part][row] for part in before) else np.zeros(3)
                end = value(tuple(sorted((*before, name))), row) if any(present[part][row] for part in (*before, name)) else np.zeros(3)
                gains.append(end - start)
            assert_close(found[place, row], torch.tensor(np.mean(gains, 0), dtype=torch.float32), rtol=1e-4, atol=1e-5)
    assert_close(found.sum(0), given.predictions["shape"])
    assert torch.equal(found[0, 1], torch.zeros(3))


def test_a_modality_without_rows_keeps_its_average_and_is_not_compared(passed: Given) -> None:
    balance, game = method("a", "b"), Game()
    given = passed(lambda parts: {"shape": game.parts["a"] * 1.0}, {"shape": LABELS}, {"a": ALL, "b": ~ALL})
    predictions, _ = balance.adapt(given)
    predictions["shape"].sum().backward()
    assert balance.batches.tolist() == [1, 0] and balance.average[1] == 0
    assert_close(game.parts["a"].grad, torch.ones(3, 3))


def test_too_many_modalities_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"6 are too many: 62 passes a batch; at most 5"):
        method(*"abcdef")
