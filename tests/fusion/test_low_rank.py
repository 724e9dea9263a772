"""The low-rank product against numpy, and against the full tensor that it factorises."""

from collections.abc import Callable
from typing import Any

import numpy as np

from mmtrain.fusion import LowRank

DIMS = {"text": 5, "image": 9, "audio": 2}


def test_values(draw: Callable[..., Any], by_hand: Callable[..., Any]) -> None:
    tokens, present = draw(DIMS)
    fusion = LowRank(DIMS, out_dim=2, pooled_dim=4, hidden_dim=6, rank=3, factor_dim=5)
    hand = by_hand(fusion)
    vectors, _ = hand.all_pooled(tokens, present)
    expected = hand.joined(joined_by_hand(hand.state, vectors))
    np.testing.assert_allclose(fusion(tokens, present)["fused"].vector.detach(), expected, atol=1e-6)


def joined_by_hand(state: dict[str, np.ndarray], vectors: np.ndarray) -> np.ndarray:
    """Equation 7: the product over modalities of F_m,r [x_m; 1], weighed and summed over r."""
    factors = [np.concatenate([state[f"factors.{place}.weight"], state[f"factors.{place}.bias"][:, None]], 1) for place in range(3)]
    ones = np.concatenate([vectors, np.ones((*vectors.shape[:2], 1))], 2)
    products = np.prod([np.einsum("rod,bd->bro", factor.reshape(3, 5, -1), one) for factor, one in zip(factors, ones, strict=True)], 0)
    return np.asarray(np.einsum("r,bro->bo", state["weights"], products) + state["bias"])


def test_it_is_the_tensor_fusion_of_its_factors(by_hand: Callable[..., Any]) -> None:
    """Equations 4 to 6: the same numbers from the outer product of [x_m; 1] and the weight tensor that the factors make up."""
    state = by_hand(LowRank(DIMS, out_dim=2, pooled_dim=4, hidden_dim=6, rank=3, factor_dim=5)).state
    vectors = np.random.default_rng(0).standard_normal((3, 7, 4))
    factors = [np.concatenate([state[f"factors.{m}.weight"], state[f"factors.{m}.bias"][:, None]], 1).reshape(3, 5, 5) for m in range(3)]
    weights = np.einsum("r,roi,roj,rok->oijk", state["weights"], *factors)
    ones = np.concatenate([vectors, np.ones((3, 7, 1))], 2)
    tensor = np.einsum("bi,bj,bk->bijk", *ones)
    expected = np.einsum("oijk,bijk->bo", weights, tensor) + state["bias"]
    np.testing.assert_allclose(joined_by_hand(state, vectors), expected, atol=1e-10)
