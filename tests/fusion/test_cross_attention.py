"""A stream for every ordered pair against numpy, row by row."""

from collections.abc import Callable
from typing import Any

import numpy as np

from mmtrain.fusion import CrossAttention

DIMS = {"text": 5, "image": 9, "audio": 2}


def test_values(draw: Callable[..., Any], by_hand: Callable[..., Any], unmasked: Callable[..., Any]) -> None:
    tokens, present = draw(DIMS)
    fusion = CrossAttention(DIMS, out_dim=2, dim=4, heads=2, hidden_dim=6)
    hand = by_hand(fusion)
    projected = [[hand.projected(place, row) for row in rows] for place, rows in enumerate(unmasked(tokens))]
    pairs = [(target, source) for target in range(3) for source in range(3) if target != source]
    seen: list[list[np.ndarray]] = [[], [], []]
    for row in zip(*projected, strict=True):
        for target, own in enumerate(row):
            if len(own) == 0:
                seen[target].append(own)
                continue
            sources = [source for source in range(3) if source != target]
            streams = [hand.cross_layer(f"streams.0.{pairs.index((target, source))}", own, row[source], 2) for source in sources]
            values = own + hand.linear(f"mixed.{target}", np.concatenate(streams, 1))
            values = hand.self_layer(f"own.{target}.layers.0", values, 2)
            seen[target].append(hand.norm(f"own.{target}.normalisation", values))
    expected = hand.read_out(seen)
    np.testing.assert_allclose(fusion(tokens, present)["fused"].vector.detach(), expected, atol=2e-6)
