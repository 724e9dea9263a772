"""Modulation against numpy, by either modality."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mmtrain.errors import ConfigError
from mmtrain.fusion import FiLM

DIMS = {"text": 5, "image": 9}


def test_values(draw: Callable[..., Any], by_hand: Callable[..., Any]) -> None:
    tokens, present = draw(DIMS)
    fusion = FiLM(DIMS, out_dim=2, pooled_dim=4, hidden_dim=6)
    hand = by_hand(fusion)
    vectors, there = hand.all_pooled(tokens, present)
    modulation = np.where(there[0], hand.linear("modulation", vectors[0]), 0.0)  # the image comes first in the alphabet
    expected = hand.joined((1 + modulation[:, :4]) * vectors[1] + modulation[:, 4:])
    np.testing.assert_allclose(fusion(tokens, present)["fused"].vector.detach(), expected, atol=1e-6)


def test_the_condition_can_be_chosen(draw: Callable[..., Any], by_hand: Callable[..., Any]) -> None:
    tokens, present = draw(DIMS)
    fusion = FiLM(DIMS, out_dim=2, pooled_dim=4, hidden_dim=6, condition="text")
    hand = by_hand(fusion)
    image, text = (hand.pooled(place, tokens[name], present[name]) for place, name in enumerate(sorted(DIMS)))
    modulation = np.where(present["text"].numpy()[:, None], hand.linear("modulation", text), 0.0)
    expected = hand.joined((1 + modulation[:, :4]) * image + modulation[:, 4:])
    np.testing.assert_allclose(fusion(tokens, present)["fused"].vector.detach(), expected, atol=1e-6)


def test_a_condition_that_is_no_modality_is_named() -> None:
    with pytest.raises(ConfigError, match=r"condition: 'txt' is no modality; did you mean 'text'\?"):
        FiLM(DIMS, condition="txt")
