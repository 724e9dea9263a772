"""Gated attention over the modalities against numpy."""

from collections.abc import Callable
from typing import Any

import numpy as np

from mmtrain.fusion import AttentionPool

DIMS = {"text": 5, "image": 9, "audio": 2}


def test_values(draw: Callable[..., Any], by_hand: Callable[..., Any]) -> None:
    tokens, present = draw(DIMS)
    fusion = AttentionPool(DIMS, out_dim=2, pooled_dim=4, hidden_dim=6, attention_dim=3)
    hand = by_hand(fusion)
    vectors, there = hand.all_pooled(tokens, present)
    seen = np.tanh(hand.linear("seen", vectors))
    gate = 1 / (1 + np.exp(-(hand.linear("gate", vectors))))
    scores = ((seen * gate) @ hand.state["score.weight"][0]).T
    exponentials = np.exp(scores) * there[..., 0].T
    weights = exponentials / np.maximum(exponentials.sum(1, keepdims=True), 1e-300)
    expected = hand.joined(np.einsum("bk,kbd->bd", weights, vectors))
    np.testing.assert_allclose(fusion(tokens, present)["fused"].vector.detach(), expected, atol=1e-6)
