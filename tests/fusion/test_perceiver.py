"""Latent vectors that look at all unmasked tokens against numpy, row by row."""

from collections.abc import Callable
from typing import Any

import numpy as np

from mmtrain.fusion import Perceiver

DIMS = {"text": 5, "image": 9, "audio": 2}


def test_values(draw: Callable[..., Any], by_hand: Callable[..., Any], unmasked: Callable[..., Any]) -> None:
    tokens, present = draw(DIMS)
    fusion = Perceiver(DIMS, out_dim=2, dim=4, heads=2, hidden_dim=6, latents=3)
    hand = by_hand(fusion)
    projected = [[hand.projected(place, row) for row in rows] for place, rows in enumerate(unmasked(tokens))]
    means = []
    for row in zip(*projected, strict=True):
        latents, values = hand.state["latents"], np.concatenate(row)
        for depth in range(2):
            latents = hand.self_layer(f"thoughts.{depth}.layers.0", hand.cross_layer(f"looks.{depth}", latents, values, 2), 2)
            latents = hand.norm(f"thoughts.{depth}.normalisation", latents)
        means.append(np.concatenate([latents.mean(0), [len(part) > 0 for part in row]]))
    expected = hand.joined(np.stack(means))
    np.testing.assert_allclose(fusion(tokens, present)["fused"].vector.detach(), expected, atol=2e-6)
