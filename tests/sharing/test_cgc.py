"""Common and own experts against numpy."""

from typing import Any

import numpy as np
import torch

from mmtrain.sharing import CGC


def test_values(by_hand: Any, answer: Any) -> None:
    """Tang et al. 2020, equations 1 to 3: a softmax of the vector over the task's own experts and the common ones, and no others."""
    sharing, vector = CGC(5, ["size", "shape"], out_dim=3, common=3, own=2, hidden_dim=4), torch.randn(6, 5)
    hand, rows = by_hand(sharing), vector.numpy()
    common = [hand.perceptron(f"level.common.experts.{expert}", rows) for expert in range(3)]
    np.testing.assert_allclose(sharing.shared(vector).detach(), np.stack(common, 1), atol=1e-6)
    for place, task in enumerate(["shape", "size"]):
        own = [hand.perceptron(f"level.own.{place}.experts.{expert}", rows) for expert in range(2)]
        weights = hand.softmax(f"level.gate.{place}", rows)
        expected = np.einsum("bn,bno->bo", weights, np.stack([*own, *common], 1))
        np.testing.assert_allclose(answer(sharing, vector, task), expected, atol=1e-6)
        _, gate = sharing.split(sharing.shared(vector), vector, task)
        assert gate.names == ["own_1", "own_2", "common_1", "common_2", "common_3"]
        np.testing.assert_allclose(gate.weights.detach(), weights, atol=1e-6)


def test_own_experts_learn_from_their_task_alone() -> None:
    sharing, vector = CGC(5, ["size", "shape"]), torch.randn(6, 5)
    own, _ = sharing.split(sharing.shared(vector), vector, "size")
    own.sum().backward()
    still = {name.split(".experts")[0] for name, parameter in sharing.named_parameters() if parameter.grad is None}
    assert still == {"level.own.0", "level.gate.0.weight"}
