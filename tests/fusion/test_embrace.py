"""The expectation against numpy, and what is drawn while training."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from mmtrain.fusion import Embrace

DIMS = {"text": 5, "image": 9, "audio": 2}


def test_values(draw: Callable[..., Any], by_hand: Callable[..., Any]) -> None:
    tokens, present = draw(DIMS)
    fusion = Embrace(DIMS, out_dim=2, pooled_dim=4, hidden_dim=6, joint_dim=5).eval()
    hand = by_hand(fusion)
    vectors, there = hand.all_pooled(tokens, present)
    docked = [np.maximum(hand.linear(f"docking.{place}.0", vectors[place]), 0.0) for place in range(3)]
    mean = sum(there[place] * docked[place] for place in range(3)) / np.maximum(there.sum(0), 1)
    expected = hand.joined(mean)
    np.testing.assert_allclose(fusion(tokens, present)["fused"].vector.detach(), expected, atol=1e-6)


def test_each_number_comes_from_one_present_modality_with_equal_chances(draw: Callable[..., Any]) -> None:
    """Every joint vector that the hidden layer reads is made of docked numbers; in the mean, of each modality's alike."""
    tokens, present = draw(DIMS, rows=8)
    fusion = Embrace(DIMS, joint_dim=5)
    vectors = fusion.pool(tokens, present)[0].unbind(1)
    docked = torch.stack([layers(vector) for layers, vector in zip(fusion.docking, vectors, strict=True)])
    there = torch.stack([present[name] for name in sorted(DIMS)])[..., None]
    joined: list[torch.Tensor] = []
    fusion.join.register_forward_pre_hook(lambda _, given: joined.append(given[0]))
    for _ in range(2000):
        fusion(tokens, present)
    drawn = torch.stack(joined)
    alike = (drawn[:, None] == docked) & there
    some = there.any(0)[:, 0]
    assert alike[:, :, some].any(1).all()
    assert not drawn[:, ~some].any()
    expected = torch.where(there, docked, 0.0).sum(0) / there.sum(0).clamp(min=1)
    torch.testing.assert_close(drawn.mean(0), expected, atol=0.05, rtol=0)
