"""Factorised bilinear pooling against numpy: windows, signed root, length 1."""

from collections.abc import Callable
from typing import Any

import numpy as np

from mmtrain.fusion import MFB

DIMS = {"text": 5, "image": 9}


def test_values(draw: Callable[..., Any], by_hand: Callable[..., Any]) -> None:
    tokens, present = draw(DIMS)
    fusion = MFB(DIMS, out_dim=2, pooled_dim=4, hidden_dim=6, joint_dim=3, factors=2)
    hand = by_hand(fusion)
    vectors, there = hand.all_pooled(tokens, present)
    first, second = (np.where(there[place], hand.linear(f"factors.{place}", vectors[place]), 1.0) for place in range(2))
    sums = (first * second).reshape(-1, 3, 2).sum(2)
    rooted = np.sign(sums) * np.sqrt(np.abs(sums) + 1e-8)
    expected = hand.joined(rooted / np.linalg.norm(rooted, axis=1, keepdims=True))
    np.testing.assert_allclose(fusion(tokens, present)["fused"].vector.detach(), expected, atol=1e-6)
