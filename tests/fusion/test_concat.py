"""Concatenation against numpy."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from mmtrain.fusion import Concat

DIMS = {"text": 5, "image": 9}


def test_values(draw: Callable[..., Any], by_hand: Callable[..., Any]) -> None:
    """Vectors in the order of the alphabet, then a flag each."""
    tokens, present = draw(DIMS)
    fusion = Concat(DIMS, out_dim=2, pooled_dim=4, hidden_dim=6)
    hand = by_hand(fusion)
    vectors = [hand.pooled(place, tokens[name], present[name]) for place, name in enumerate(["image", "text"])]
    flags = np.stack([present["image"], present["text"]], 1).astype(float)
    expected = hand.joined(np.concatenate([*vectors, flags], 1))
    np.testing.assert_allclose(fusion(tokens, present)["fused"].vector.detach(), expected, atol=1e-6)


def test_a_flag_tells_absent_from_zero(draw: Callable[..., Any]) -> None:
    """Even where the vector of a present modality happens to be exactly zero."""
    tokens, present = draw(DIMS)
    fusion = Concat(DIMS)
    torch.nn.init.zeros_(fusion.get_parameter("pool.layers.0.3.weight"))
    there = fusion(tokens, {**present, "image": torch.ones(6, dtype=torch.bool)})["fused"].vector
    absent = fusion(tokens, {**present, "image": torch.zeros(6, dtype=torch.bool)})["fused"].vector
    assert torch.all((there - absent).abs().sum(1) > 1e-2)


def test_dropout_is_for_training_only(draw: Callable[..., Any]) -> None:
    given = draw(DIMS)
    fusion = Concat(DIMS, dropout=0.5)
    assert not torch.equal(fusion(*given)["fused"].vector, fusion(*given)["fused"].vector)
    fusion.eval()
    assert torch.equal(fusion(*given)["fused"].vector, fusion(*given)["fused"].vector)
