"""One stream of all unmasked tokens against numpy, row by row."""

from collections.abc import Callable
from typing import Any

import numpy as np

from mmtrain.fusion import SingleStream

DIMS = {"text": 5, "image": 9, "audio": 2}


def test_values(draw: Callable[..., Any], by_hand: Callable[..., Any], unmasked: Callable[..., Any]) -> None:
    tokens, present = draw(DIMS)
    fusion = SingleStream(DIMS, out_dim=2, dim=4, heads=2, hidden_dim=6)
    hand = by_hand(fusion)
    projected = [[hand.projected(place, row) for row in rows] for place, rows in enumerate(unmasked(tokens))]
    seen: list[list[np.ndarray]] = [[], [], []]
    for row in zip(*projected, strict=True):
        values = np.concatenate(row)
        for layer in range(2):
            values = hand.self_layer(f"transformer.layers.{layer}", values, 2) if len(values) else values
        values = hand.norm("transformer.normalisation", values) if len(values) else values
        for place, part in enumerate(np.split(values, np.cumsum([len(part) for part in row])[:-1])):
            seen[place].append(part)
    expected = hand.read_out(seen)
    np.testing.assert_allclose(fusion(tokens, present)["fused"].vector.detach(), expected, atol=2e-6)
