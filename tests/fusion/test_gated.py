"""The softmax gate against numpy."""

from collections.abc import Callable
from typing import Any

import numpy as np

from mmtrain.fusion import Gated

DIMS = {"text": 5, "image": 9, "audio": 2}


def test_values(draw: Callable[..., Any], by_hand: Callable[..., Any]) -> None:
    tokens, present = draw(DIMS)
    fusion = Gated(DIMS, out_dim=2, pooled_dim=4, hidden_dim=6)
    hand = by_hand(fusion)
    vectors, there = hand.all_pooled(tokens, present)
    seen = np.concatenate([*vectors, *there], 1)
    scores = hand.linear("gate", seen)
    exponentials = np.exp(scores) * there[..., 0].T
    weights = exponentials / np.maximum(exponentials.sum(1, keepdims=True), 1e-300)
    expected = hand.joined(np.einsum("bk,kbd->bd", weights, vectors))
    np.testing.assert_allclose(fusion(tokens, present)["fused"].vector.detach(), expected, atol=1e-6)
