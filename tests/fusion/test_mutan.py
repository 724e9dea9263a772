"""The sum of low-rank bilinear terms against numpy."""

from collections.abc import Callable
from typing import Any

import numpy as np

from mmtrain.fusion import Mutan

DIMS = {"text": 5, "image": 9}


def test_values(draw: Callable[..., Any], by_hand: Callable[..., Any]) -> None:
    tokens, present = draw(DIMS)
    fusion = Mutan(DIMS, out_dim=2, pooled_dim=4, hidden_dim=6, rank=2, joint_dim=3)
    hand = by_hand(fusion)
    vectors, there = hand.all_pooled(tokens, present)
    squashed = [np.tanh(hand.linear(f"factors.{place}.0", vectors[place])) for place in range(2)]
    first, second = (np.where(there[place], hand.linear(f"factors.{place}.2", squashed[place]), 1.0) for place in range(2))
    expected = hand.joined(np.einsum("bro,bro->bo", first.reshape(-1, 2, 3), second.reshape(-1, 2, 3)))
    np.testing.assert_allclose(fusion(tokens, present)["fused"].vector.detach(), expected, atol=1e-6)
