"""The mixture and its balancing loss against numpy."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mmtrain.errors import ConfigError
from mmtrain.fusion import Experts

DIMS = {"text": 5, "image": 9, "audio": 2}


def test_values(draw: Callable[..., Any], by_hand: Callable[..., Any]) -> None:
    tokens, present = draw(DIMS)
    fusion = Experts(DIMS, out_dim=2, pooled_dim=4, hidden_dim=6, experts=3, chosen=2, balance=0.5)
    hand = by_hand(fusion)
    vectors, there = hand.all_pooled(tokens, present)
    joined = np.concatenate([*vectors, *there], 1)
    logits = hand.linear("router", joined)
    said = np.stack([hand_of(hand, place).joined(joined) for place in range(3)], 1)
    best = np.argsort(-logits, 1)[:, :2]
    weights = np.zeros_like(logits)
    for row, chosen in enumerate(best):
        weights[row, chosen] = np.exp(logits[row, chosen]) / np.exp(logits[row, chosen]).sum()
    expected = np.einsum("be,beo->bo", weights, said)
    rows = there.any(0)[:, 0]
    probabilities = np.exp(logits[rows]) / np.exp(logits[rows]).sum(1, keepdims=True)
    shares = np.bincount(best[rows].ravel(), minlength=3) / (2 * rows.sum())
    balance = fusion(tokens, present)["fused"].penalties["balance"].detach()
    np.testing.assert_allclose(balance, 0.5 * 3 * (shares * probabilities.mean(0)).sum(), rtol=1e-5)
    np.testing.assert_allclose(fusion(tokens, present)["fused"].vector.detach(), expected, atol=1e-6)


def hand_of(hand: Any, place: int) -> Any:
    """The layers of one expert, as those behind a join."""
    found = copy.copy(hand)
    prefix = f"experts.{place}."
    found.state = {name.replace(prefix, "join."): value for name, value in hand.state.items() if name.startswith(prefix)}
    return found


def test_more_experts_than_there_are_cannot_be_chosen() -> None:
    with pytest.raises(ConfigError, match=r"chosen: 3 of 2 experts cannot be chosen; at most 2"):
        Experts(DIMS, experts=2, chosen=3)
