"""The bilinear map with its linear terms against numpy."""

from collections.abc import Callable
from typing import Any

import numpy as np

from mmtrain.fusion import Multiplicative

DIMS = {"text": 5, "image": 9}


def test_values(draw: Callable[..., Any], by_hand: Callable[..., Any]) -> None:
    tokens, present = draw(DIMS)
    fusion = Multiplicative(DIMS, out_dim=2, pooled_dim=4, hidden_dim=6, joint_dim=3)
    hand = by_hand(fusion)
    vectors, _ = hand.all_pooled(tokens, present)
    weights = hand.state["product.weight"].reshape(3, 4, 4)
    joined = np.einsum("bi,oij,bj->bo", vectors[0], weights, vectors[1]) + hand.state["product.bias"]
    expected = hand.joined(joined + sum(vectors[place] @ hand.state[f"linear.{place}.weight"].T for place in range(2)))
    np.testing.assert_allclose(fusion(tokens, present)["fused"].vector.detach(), expected, atol=1e-6)
