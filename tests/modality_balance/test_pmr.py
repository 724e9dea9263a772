"""Prototypes and penalties against NumPy."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from mmtrain.errors import ConfigError
from mmtrain.modality_balance import PMR, Pass
from mmtrain.spec import TaskSpec

Given = Callable[..., Pass]
SHAPE = TaskSpec(4, gaussian=False, prediction="classes", shape=(3,))
MATCH = TaskSpec(4, gaussian=False, prediction="binary")
SIZE = TaskSpec(4, gaussian=True)
LABELS = np.array([0, 1, 0, 1])
ALL = np.ones(4, bool)
FIRST = {"a": np.array([[0.0, 1], [4, 4], [2, 1], [5, 3]]), "b": np.array([[1.0], [2], [3], [2]])}
SECOND = {"a": np.array([[0.5, 1], [4, 5], [1, 1], [3, 3]]), "b": np.array([[2.0], [2.5], [1.5], [1]])}
HAVE_B = np.array([True, True, False, True])


def method(tasks: dict[str, TaskSpec] | None = None, **options: Any) -> PMR:
    return PMR({"b": 1, "a": 2}, tasks or {"shape": SHAPE}, **options)


def given(passed: Given, vectors: dict[str, np.ndarray], labels: dict[str, Tensor] | None = None) -> tuple[Pass, dict[str, Tensor]]:
    tokens = {name: torch.tensor(values, dtype=torch.float32).requires_grad_() for name, values in vectors.items()}
    present = {"a": torch.tensor(ALL), "b": torch.tensor(HAVE_B)}
    return passed(lambda parts: {}, labels or {"shape": torch.tensor(LABELS)}, present, tokens=tokens), tokens


def centres(vectors: np.ndarray, rows: np.ndarray) -> np.ndarray:
    return np.stack([vectors[rows & (label == LABELS)].mean(0) for label in (0, 1)])


def judged(vectors: np.ndarray, prototypes: np.ndarray, rows: np.ndarray) -> tuple[float, float, float]:
    """Mean probability of the true class, prototype cross entropy and entropy; class 2 has no prototype and no probability."""
    distances = np.sqrt(((vectors[:, None] - prototypes[None]) ** 2).sum(-1))[rows]
    chances = np.exp(-distances) / np.exp(-distances).sum(1, keepdims=True)
    true = chances[np.arange(rows.sum()), LABELS[rows]]
    return float(true.mean()), float(-np.log(true).mean()), float(-(chances * np.log(chances)).sum(1).mean())


def test_two_epochs_by_hand(passed: Given) -> None:
    balance = method(alpha=0.6, entropy=0.25, entropy_epochs=2, momentum=0.5)
    balance.start_epoch(1)
    for penalty in balance.adapt(given(passed, FIRST)[0])[1].values():
        assert penalty == 0  # there is no prototype yet
    balance.epoch_end({}, {})
    balance.start_epoch(2)
    _, penalties = balance.adapt(given(passed, SECOND)[0])
    rows = {"a": ALL, "b": HAVE_B}
    found = {name: judged(SECOND[name], centres(FIRST[name], rows[name]), rows[name]) for name in rows}
    ratio = found["a"][0] / found["b"][0]
    assert ratio > 1  # `a` is ahead: `b` is sped up, `a` held back
    assert penalties["modality_balance/prototype"].item() == pytest.approx(0.6 * min(ratio - 1, 1) * found["b"][1], rel=1e-5)
    assert penalties["modality_balance/entropy"].item() == pytest.approx(-0.25 * min(ratio - 1, 1) * found["a"][2], rel=1e-5)
    balance.epoch_end({}, {})
    for name, there in rows.items():
        expected = 0.5 * centres(FIRST[name], there) + 0.5 * centres(SECOND[name], there)
        prototypes = balance.prototypes["shape", name]
        assert_close(prototypes.centres[:2], torch.tensor(expected, dtype=torch.float32))
        assert prototypes.known.tolist() == [True, True, False]
    balance.start_epoch(3)
    assert balance.adapt(given(passed, SECOND)[0])[1].keys() == {"modality_balance/prototype"}


def test_only_the_slow_one_is_pulled_and_only_the_fast_one_held(passed: Given) -> None:
    balance = method()
    balance.start_epoch(1)
    balance.adapt(given(passed, FIRST)[0])
    balance.epoch_end({}, {})
    balance.start_epoch(2)
    pulled, tokens = given(passed, SECOND)
    balance.adapt(pulled)[1]["modality_balance/prototype"].backward()
    gradient = tokens["b"].grad
    assert gradient is not None and gradient[2] == 0 and (gradient[torch.tensor(HAVE_B)] != 0).all()
    assert tokens["a"].grad is None or (tokens["a"].grad == 0).all()
    held, tokens = given(passed, SECOND)
    balance.adapt(held)[1]["modality_balance/entropy"].backward()
    assert tokens["a"].grad is not None and (tokens["a"].grad != 0).any()
    assert tokens["b"].grad is None or (tokens["b"].grad == 0).all()


def test_several_tasks_are_averaged_or_one_is_named(passed: Given) -> None:
    labels = {"shape": torch.tensor(LABELS), "match": torch.tensor([1, 1, 0, 0]), "size": torch.ones(4)}
    tasks = {"shape": SHAPE, "match": MATCH, "size": SIZE}
    found = {}
    for task in (None, "shape", "match"):
        balance = method(tasks, task=task)
        balance.start_epoch(1)
        balance.adapt(given(passed, FIRST, labels)[0])
        balance.epoch_end({}, {})
        balance.start_epoch(2)
        found[task] = balance.adapt(given(passed, SECOND, labels)[0])[1]["modality_balance/prototype"].item()
    assert found["shape"] != found["match"]
    assert found[None] == pytest.approx((found["shape"] + found["match"]) / 2, rel=1e-5)


def test_a_point_on_its_prototype_has_a_gradient(passed: Given) -> None:
    balance = method()
    balance.start_epoch(1)
    same = {"a": FIRST["a"][[0, 1, 0, 1]], "b": FIRST["b"][[0, 1, 0, 1]]}
    balance.adapt(given(passed, same)[0])
    balance.epoch_end({}, {})
    balance.start_epoch(2)
    again, tokens = given(passed, same)
    torch.stack(list(balance.adapt(again)[1].values())).sum().backward()
    assert all(part.grad is None or part.grad.isfinite().all() for part in tokens.values())


def test_without_classes_it_is_refused() -> None:
    with pytest.raises(ConfigError, match="pmr needs prototypes of classes, and no task has any"):
        method({"size": SIZE})
    sets = TaskSpec(labels=9, gaussian=False, prediction="binary", shape=(3,))  # a row may have several labels: it has no one prototype
    with pytest.raises(ConfigError, match="pmr needs prototypes of classes, and no task has any"):
        method({"tags": sets})
    with pytest.raises(ConfigError, match=r"task: 'sahpe' is no task with classes; did you mean 'shape'\?"):
        method({"shape": SHAPE, "size": SIZE}, task="sahpe")
