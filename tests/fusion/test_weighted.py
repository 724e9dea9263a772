"""The weighted mean against numpy, and weights that name the wrong thing."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from mmtrain.errors import ConfigError
from mmtrain.fusion import Weighted

DIMS = {"text": 5, "image": 9, "audio": 2}
NAMES = ["audio", "image", "text"]


def expected(fusion: Weighted, given: Any, by_hand: Callable[..., Any], weights: list[float]) -> np.ndarray:
    """Weights of the present modalities, divided by their sum."""
    tokens, present = given
    hand = by_hand(fusion)
    there = np.stack([present[name] for name in NAMES], 1) * np.array(weights)
    shares = there / np.maximum(there.sum(1, keepdims=True), 1e-9)
    vectors = [hand.pooled(place, tokens[name], present[name]) for place, name in enumerate(NAMES)]
    return np.asarray(hand.joined(sum(shares[:, [place]] * vector for place, vector in enumerate(vectors))))


@pytest.mark.parametrize(
    ("options", "weights"),
    [
        ({}, [1.0, 1.0, 1.0]),
        ({"weights": {"image": 3.0, "text": 2.0, "audio": 5.0}}, [5.0, 3.0, 2.0]),
        ({"weights": {"image": 0.5}}, [1.0, 0.5, 1.0]),
    ],
    ids=["learned: equal at the start", "fixed", "fixed: 1 if not named"],
)
def test_values(draw: Callable[..., Any], by_hand: Callable[..., Any], options: Any, weights: list[float]) -> None:
    given = draw(DIMS)
    fusion = Weighted(DIMS, out_dim=2, pooled_dim=4, hidden_dim=6, **options)
    found = fusion(*given)["fused"].vector.detach()
    np.testing.assert_allclose(found, expected(fusion, given, by_hand, weights), atol=1e-6)


def test_learned_weights_are_a_softmax(draw: Callable[..., Any], by_hand: Callable[..., Any]) -> None:
    given = draw(DIMS)
    fusion = Weighted(DIMS, out_dim=2, pooled_dim=4, hidden_dim=6)
    with torch.no_grad():
        fusion.logits.copy_(torch.tensor([0.0, 1.0, -2.0]))
    found = fusion(*given)["fused"].vector.detach()
    np.testing.assert_allclose(found, expected(fusion, given, by_hand, list(np.exp([0.0, 1.0, -2.0]))), atol=1e-6)


def test_only_the_ratio_of_fixed_weights_counts(draw: Callable[..., Any]) -> None:
    given = draw(DIMS)
    small = Weighted(DIMS, weights={"audio": 0.1, "image": 0.2, "text": 0.4})
    large = Weighted(DIMS, weights={"audio": 10.0, "image": 20.0, "text": 40.0})
    large.load_state_dict(small.state_dict())
    assert_close(small(*given)["fused"].vector, large(*given)["fused"].vector)


def test_fixed_weights_are_not_trained_and_not_saved() -> None:
    fusion = Weighted(DIMS, weights={"image": 2.0})
    assert "logits" not in dict(fusion.named_parameters())
    assert "logits" not in fusion.state_dict()
    assert "logits" in Weighted(DIMS).state_dict()


def test_no_gain_can_undo_a_weight() -> None:
    """The last layer before the sum has nothing to learn, so that all vectors keep the same size."""
    assert [name for name, _ in Weighted({"image": 3}).pool.named_parameters()] == ["layers.0.2.weight", "layers.0.2.bias"]


def test_a_weight_for_something_that_is_no_modality() -> None:
    with pytest.raises(ConfigError, match=r"weights: 'imgae' is no modality; did you mean 'image'\? allowed: audio, image, text"):
        Weighted(DIMS, weights={"imgae": 2.0})


def test_every_wrong_name_is_reported() -> None:
    with pytest.raises(ConfigError) as caught:
        Weighted(DIMS, weights={"video": 1.0, "smell": 1.0, "text": 1.0})
    assert [problem.found for problem in caught.value.problems] == ["'smell' is no modality", "'video' is no modality"]
