"""Modalities that meet in the bottleneck tokens alone against numpy, row by row."""

from collections.abc import Callable
from typing import Any

import numpy as np

from mmtrain.fusion import Bottleneck

DIMS = {"text": 5, "image": 9, "audio": 2}


def test_values(draw: Callable[..., Any], by_hand: Callable[..., Any], unmasked: Callable[..., Any]) -> None:
    tokens, present = draw(DIMS)
    fusion = Bottleneck(DIMS, out_dim=2, dim=4, heads=2, hidden_dim=6, bottlenecks=3)
    hand = by_hand(fusion)
    projected = [[hand.projected(place, row) for row in rows] for place, rows in enumerate(unmasked(tokens))]
    seen: list[list[np.ndarray]] = [[], [], []]
    for row in zip(*projected, strict=True):
        parts, shared = list(row), hand.state["start"]
        for layer in range(2):
            together = {place: np.concatenate([part, shared]) for place, part in enumerate(parts) if len(part)}
            become = {place: hand.self_layer(f"layers.{layer}.{place}", values, 2) for place, values in together.items()}
            parts = [become[place][:-3] if place in become else part for place, part in enumerate(parts)]
            shared = np.mean([values[-3:] for values in become.values()], 0) if become else shared
        for place, part in enumerate(parts):
            seen[place].append(part)
    expected = hand.read_out(seen)
    np.testing.assert_allclose(fusion(tokens, present)["fused"].vector.detach(), expected, atol=2e-6)
