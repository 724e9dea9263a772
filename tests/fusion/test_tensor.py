"""The outer product against numpy, and the sizes that are refused."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mmtrain.errors import ConfigError
from mmtrain.fusion import TensorFusion

DIMS = {"text": 5, "image": 9, "audio": 2}


def test_values(draw: Callable[..., Any], by_hand: Callable[..., Any]) -> None:
    tokens, present = draw(DIMS)
    fusion = TensorFusion(DIMS, out_dim=2, pooled_dim=4, hidden_dim=6)
    hand = by_hand(fusion)
    vectors, _ = hand.all_pooled(tokens, present)
    ones = np.concatenate([vectors, np.ones((*vectors.shape[:2], 1))], 2)
    expected = hand.joined(np.einsum("bi,bj,bk->bijk", *ones).reshape(len(ones[0]), -1))
    np.testing.assert_allclose(fusion(tokens, present)["fused"].vector.detach(), expected, atol=1e-6)


def test_a_tensor_that_would_not_fit_is_refused_with_its_size() -> None:
    with pytest.raises(ConfigError) as error:
        TensorFusion(DIMS, pooled_dim=128)
    assert str(error.value) == (
        "pooled_dim: 129 ** 3 modalities = 2,146,689 products of a row, more than 131,072; "
        "at most 49, or fusion=low_rank, which needs no such tensor"
    )
    TensorFusion(DIMS, pooled_dim=49, hidden_dim=1)
    with pytest.raises(ConfigError, match="at most 49"):
        TensorFusion(DIMS, pooled_dim=50, hidden_dim=1)
