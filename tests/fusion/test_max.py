"""The maximum over present modalities against numpy; 0 where there is none."""

from collections.abc import Callable
from typing import Any

import numpy as np

from mmtrain.fusion import Max

DIMS = {"text": 5, "image": 9, "audio": 2}


def test_values(draw: Callable[..., Any], by_hand: Callable[..., Any]) -> None:
    tokens, present = draw(DIMS)
    fusion = Max(DIMS, out_dim=2, pooled_dim=4, hidden_dim=6)
    hand = by_hand(fusion)
    vectors, there = hand.all_pooled(tokens, present)
    largest = np.where(there, vectors, -np.inf).max(0)
    expected = hand.joined(np.where(there.any(0), largest, 0.0))
    np.testing.assert_allclose(fusion(tokens, present)["fused"].vector.detach(), expected, atol=1e-6)
