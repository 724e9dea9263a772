"""Weights against NumPy."""

import json
from typing import Any

import numpy as np
import pytest

from mmtrain.modality_balance import Blend
from mmtrain.spec import TaskSpec

TASKS = {"shape": TaskSpec(4, gaussian=False), "size": TaskSpec(4, gaussian=True)}
VIEWS = ["audio", "fused", "video"]
LOSSES = {  # of each view, train then val, epoch by epoch
    "audio": [(1.0, 1.1), (0.8, 1.0), (0.6, 0.9)],
    "fused": [(0.9, 1.0), (0.6, 0.8), (0.2, 0.7)],
    "video": [(1.2, 1.2), (1.1, 1.15), (1.0, 1.1)],
}


def method(**options: Any) -> Blend:
    return Blend({"video": 3, "audio": 2}, {"shape": TASKS["shape"]}, **options)


def end(balance: Blend, epoch: int, losses: dict[str, tuple[float, float]]) -> None:
    balance.start_epoch(epoch)
    train, val = ({"shape": {view: both[split] for view, both in losses.items()}} for split in (0, 1))
    balance.epoch_end(train, val)


def at(epoch: int, **changed: tuple[float, float]) -> dict[str, tuple[float, float]]:
    return {view: losses[epoch - 1] for view, losses in LOSSES.items()} | changed


def ratios(start: int, stop: int) -> np.ndarray:
    before, after = (np.array([LOSSES[view][epoch - 1] for view in VIEWS]) for epoch in (start, stop))
    gained = before[:, 1] - after[:, 1]
    overfitted = (after[:, 1] - after[:, 0]) - (before[:, 1] - before[:, 0])
    return np.asarray(gained / overfitted**2)


def weights(balance: Blend) -> list[float]:
    return [balance.view_weights["shape"][view] for view in VIEWS]


def test_generalisation_over_the_square_of_overfitting() -> None:
    balance = method(every=1, least=1e-12)
    end(balance, 1, at(1))
    assert weights(balance) == pytest.approx([1 / 3] * 3)
    for epoch in (2, 3):
        end(balance, epoch, at(epoch))
        expected = ratios(epoch - 1, epoch)
        assert weights(balance) == pytest.approx(expected / expected.sum(), rel=1e-6)


def test_a_super_epoch_of_two_epochs_and_a_share_for_all() -> None:
    balance = method(every=2, least=0.3)
    end(balance, 1, at(1))
    end(balance, 2, at(2))
    assert weights(balance) == pytest.approx([1 / 3] * 3)
    end(balance, 3, at(3))
    expected = ratios(1, 3)
    assert weights(balance) == pytest.approx(0.1 + 0.7 * expected / expected.sum(), rel=1e-6)


def test_a_view_that_got_worse_gets_its_share_alone() -> None:
    balance = method(every=1, least=0.3)
    end(balance, 1, at(1))
    end(balance, 2, at(2, fused=(0.5, 1.4)))
    found = dict(zip(VIEWS, weights(balance), strict=True))
    expected = ratios(1, 2)
    assert found["fused"] == pytest.approx(0.1)
    assert found["audio"] == pytest.approx(0.1 + 0.7 * expected[0] / (expected[0] + expected[2]), rel=1e-6)
    before = weights(balance)
    end(balance, 3, dict.fromkeys(VIEWS, (0.1, 2.0)))
    assert weights(balance) == before


def test_overfitting_of_nothing_does_not_take_everything() -> None:
    """It counts as 1 % of the largest."""
    balance = method(every=1, least=1e-12)
    end(balance, 1, {"audio": (1.0, 1.0), "fused": (1.0, 1.0), "video": (1.0, 1.0)})
    end(balance, 2, {"audio": (0.9, 0.9), "fused": (0.5, 0.9), "video": (0.8, 0.9)})
    raw = np.array([0.1 / 0.004**2, 0.1 / 0.4**2, 0.1 / 0.1**2])
    assert weights(balance) == pytest.approx(raw / raw.sum(), rel=1e-6)


def test_a_view_without_losses_keeps_its_weight() -> None:
    balance = method(every=1, least=1e-12)
    end(balance, 1, at(1))
    end(balance, 2, {view: losses for view, losses in at(2).items() if view != "video"})
    expected = ratios(1, 2)[:2]
    assert weights(balance) == pytest.approx([*(2 / 3 * expected / expected.sum()), 1 / 3], rel=1e-6)


def test_the_first_super_epoch_begins_where_the_window_does() -> None:
    balance = method(every=1, first_epoch=3)
    end(balance, 1, at(1))
    assert balance.view_weights == {} and balance.start is None
    end(balance, 2, at(2))
    assert balance.view_weights == {} and balance.start is not None
    end(balance, 3, at(3))
    assert sum(weights(balance)) == pytest.approx(1)
    assert weights(balance) != pytest.approx([1 / 3] * 3)
    balance = method(every=1, last_epoch=1)
    end(balance, 1, at(1))
    assert balance.start is None
    balance.start_epoch(2)
    assert balance.view_weights == {}


def test_its_state_is_plain_and_whole() -> None:
    balance, again = method(every=2), method(every=2)
    for epoch in (1, 2):
        end(balance, epoch, at(epoch))
    again.load_state_dict(json.loads(json.dumps(balance.state_dict())))
    for one in (balance, again):
        end(one, 3, at(3))
    assert again.view_weights == balance.view_weights
