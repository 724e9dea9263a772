"""A class token before all unmasked tokens against numpy, row by row."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mmtrain.errors import ConfigError
from mmtrain.fusion import Early

DIMS = {"text": 5, "image": 9, "audio": 2}


def test_values(draw: Callable[..., Any], by_hand: Callable[..., Any], unmasked: Callable[..., Any]) -> None:
    tokens, present = draw(DIMS)
    fusion = Early(DIMS, out_dim=2, dim=4, heads=2, layers=3)
    hand = by_hand(fusion)
    projected = [[hand.projected(place, row) for row in rows] for place, rows in enumerate(unmasked(tokens))]
    expected = []
    for row in zip(*projected, strict=True):
        values = np.concatenate([hand.state["start"][None], *row])
        for layer in range(3):
            values = hand.self_layer(f"transformer.layers.{layer}", values, 2)
        expected.append(hand.linear("readout", hand.norm("transformer.normalisation", values)[0]))
    np.testing.assert_allclose(fusion(tokens, present)["fused"].vector.detach(), np.stack(expected), atol=2e-6)


def test_heads_share_the_width_evenly() -> None:
    with pytest.raises(ConfigError, match="3 heads do not share 8 numbers evenly"):
        Early(DIMS, dim=8, heads=3)
