"""The best worst improvement near the mean, against a search over the simplex."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mmtrain.balancing import CAGrad
from mmtrain.cli import main
from mmtrain.errors import ConfigError
from mmtrain.spec import TaskSpec

Tasks = dict[str, TaskSpec]


def searched(one: np.ndarray, other: np.ndarray, c: float) -> np.ndarray:
    """Algorithm 1: the mean plus the weighted gradient that minimises the dual, at the radius."""
    mean = (one + other) / 2
    radius = c * np.linalg.norm(mean)
    mixtures = [share * one + (1 - share) * other for share in np.linspace(0, 1, 20001)]
    best = min(mixtures, key=lambda mixture: float(mixture @ mean + radius * np.linalg.norm(mixture)))
    return mean + radius * best / np.linalg.norm(best)


@pytest.mark.parametrize("c", [0.0, 0.4, 0.9])
def test_two_gradients(tasks: Tasks, combine: Any, c: float) -> None:
    pytest.importorskip("cvxpy")
    one, other = np.random.default_rng(1).normal(size=(2, 6)) * [[1], [4]]
    gradient, _ = combine(CAGrad(tasks, c=c), {"a": one, "b": other})
    assert gradient == pytest.approx(2 * searched(one, other, c), rel=1e-3)


def test_it_trains_a_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("cvxpy")
    monkeypatch.chdir(tmp_path)
    few = ["data.train=96", "data.val=96", "data.test=96", "training.batch_size=32"]
    assert main(["check", "balancing=cagrad", *few]) == 0


def test_a_missing_library_is_told(tasks: Tasks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torchjd._mixins.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r'a library is missing: .*cvxpy.*pip install "mmtrain\[balancing\]"'):
        CAGrad(tasks)
