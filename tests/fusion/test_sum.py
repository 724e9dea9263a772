"""Addition against numpy."""

from collections.abc import Callable
from typing import Any

import numpy as np

from mmtrain.fusion import Sum

DIMS = {"text": 5, "image": 9, "audio": 2}


def test_values(draw: Callable[..., Any], by_hand: Callable[..., Any]) -> None:
    tokens, present = draw(DIMS)
    fusion = Sum(DIMS, out_dim=2, pooled_dim=4, hidden_dim=6)
    hand = by_hand(fusion)
    vectors = [hand.pooled(place, tokens[name], present[name]) for place, name in enumerate(sorted(DIMS))]
    expected = hand.joined(vectors[0] + vectors[1] + vectors[2])
    np.testing.assert_allclose(fusion(tokens, present)["fused"].vector.detach(), expected, atol=1e-6)
