"""The gated multimodal unit against numpy: a gate each for three modalities, z and 1 - z for two."""

from collections.abc import Callable
from typing import Any

import numpy as np

from mmtrain.fusion import GMU

DIMS = {"text": 5, "image": 9, "audio": 2}


def test_values(draw: Callable[..., Any], by_hand: Callable[..., Any]) -> None:
    tokens, present = draw(DIMS)
    fusion = GMU(DIMS, out_dim=2, pooled_dim=4, hidden_dim=6)
    hand = by_hand(fusion)
    vectors, there = hand.all_pooled(tokens, present)
    seen = np.concatenate([*vectors, *there], 1)
    gates = 1 / (1 + np.exp(-(hand.linear("gate", seen))))
    said = [np.tanh(hand.linear(f"said.{place}", vector)) for place, vector in enumerate(vectors)]
    expected = hand.joined(sum(there[place] * gates[:, 4 * place : 4 * place + 4] * said[place] for place in range(3)))
    np.testing.assert_allclose(fusion(tokens, present)["fused"].vector.detach(), expected, atol=1e-6)


def test_two_modalities_share_one_gate(draw: Callable[..., Any], by_hand: Callable[..., Any]) -> None:
    """Equations 1 to 5: h = z * tanh(W_v x_v) + (1 - z) * tanh(W_t x_t)."""
    pair = {"image": 9, "text": 5}
    tokens, present = draw(pair)
    fusion = GMU(pair, out_dim=2, pooled_dim=4, hidden_dim=6)
    hand = by_hand(fusion)
    image, text = (hand.pooled(place, tokens[name], present[name]) for place, name in enumerate(sorted(pair)))
    flags = [present[name].numpy()[:, None] for name in sorted(pair)]
    gate = 1 / (1 + np.exp(-(hand.linear("gate", np.concatenate([image, text, *flags], 1)))))
    said = [np.tanh(hand.linear(f"said.{place}", vector)) for place, vector in enumerate((image, text))]
    expected = hand.joined(flags[0] * gate * said[0] + flags[1] * (1 - gate) * said[1])
    np.testing.assert_allclose(fusion(tokens, present)["fused"].vector.detach(), expected, atol=1e-6)
