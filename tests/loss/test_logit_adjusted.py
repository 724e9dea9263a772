import math

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from mmtrain.loss import CrossEntropy, LogitAdjusted
from mmtrain.spec import TargetSpec

SPEC = TargetSpec("mood", {"calm": 6, "sad": 3, "wild": 1})
FREQUENCIES = np.array([0.6, 0.3, 0.1])


def test_by_hand() -> None:
    """Equal logits are the frequencies: -log 0.6, 0.3, 0.1."""
    found = LogitAdjusted(SPEC)(torch.zeros(3, 3), torch.tensor([0, 1, 2]))
    assert_close(found, torch.tensor([-math.log(0.6), -math.log(0.3), -math.log(0.1)]))


@pytest.mark.parametrize("tau", [0.5, 1.0, 2.0])
def test_by_the_formula_of_the_paper(tau: float) -> None:
    """log(1 + sum over other classes of (frequency' / frequency) ** tau * exp(logit' - logit))."""
    logits, target = torch.randn(20, 3), torch.randint(3, (20,))
    expected = []
    for row, label in zip(logits.double().numpy(), target.tolist(), strict=True):
        others = [other for other in range(3) if other != label]
        gaps = [(FREQUENCIES[other] / FREQUENCIES[label]) ** tau * np.exp(row[other] - row[label]) for other in others]
        expected.append(np.log1p(sum(gaps)))
    assert_close(LogitAdjusted(SPEC, tau=tau)(logits, target), torch.tensor(expected).float())


def test_tau_0_is_cross_entropy() -> None:
    logits, target = torch.randn(20, 3), torch.randint(3, (20,))
    assert_close(LogitAdjusted(SPEC, tau=0)(logits, target), CrossEntropy(SPEC)(logits, target))


@pytest.mark.parametrize("tau", [0.5, 1.0])
def test_what_is_best_under_it_are_the_frequencies_divided_by_themselves(tau: float) -> None:
    """Where the input says nothing, the mean loss (which is convex) is level at (1 - tau) log frequency: at tau 1, equal logits."""
    logits = torch.from_numpy((1 - tau) * np.log(FREQUENCIES)).float()[None].requires_grad_()
    losses = LogitAdjusted(SPEC, tau=tau)(logits.expand(3, 3), torch.arange(3))
    (losses * torch.from_numpy(FREQUENCIES).float()).sum().backward()
    assert_close(logits.grad, torch.zeros(1, 3))


def test_the_offset_is_no_state() -> None:
    """It follows from the labels, which a run keeps elsewhere."""
    loss = LogitAdjusted(SPEC)
    assert loss.state_dict() == {}
    assert [name for name, _ in loss.named_buffers()] == ["offset"]
