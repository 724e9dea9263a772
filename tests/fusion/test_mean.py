"""The mean over present modalities against numpy."""

from collections.abc import Callable
from typing import Any

import numpy as np

from mmtrain.fusion import Mean

DIMS = {"text": 5, "image": 9, "audio": 2}


def test_values(draw: Callable[..., Any], by_hand: Callable[..., Any]) -> None:
    tokens, present = draw(DIMS)
    fusion = Mean(DIMS, out_dim=2, pooled_dim=4, hidden_dim=6)
    hand = by_hand(fusion)
    vectors, there = hand.all_pooled(tokens, present)
    expected = hand.joined(vectors.sum(0) / np.maximum(there.sum(0), 1))
    np.testing.assert_allclose(fusion(tokens, present)["fused"].vector.detach(), expected, atol=1e-6)
