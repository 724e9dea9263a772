"""Low-rank bilinear pooling against numpy; the factor of an absent modality is 1."""

from collections.abc import Callable
from typing import Any

import numpy as np

from mmtrain.fusion import MLB

DIMS = {"text": 5, "image": 9}


def test_values(draw: Callable[..., Any], by_hand: Callable[..., Any]) -> None:
    tokens, present = draw(DIMS)
    fusion = MLB(DIMS, out_dim=2, pooled_dim=4, hidden_dim=6, joint_dim=3)
    hand = by_hand(fusion)
    vectors, there = hand.all_pooled(tokens, present)
    first, second = (np.where(there[place], np.tanh(hand.linear(f"factors.{place}.0", vectors[place])), 1.0) for place in range(2))
    expected = hand.joined(first * second)
    np.testing.assert_allclose(fusion(tokens, present)["fused"].vector.detach(), expected, atol=1e-6)
