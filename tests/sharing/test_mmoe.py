"""The mixture against numpy."""

from typing import Any

import numpy as np
import torch

from mmtrain.sharing import MMoE


def test_values(by_hand: Any, answer: Any) -> None:
    """Ma et al. 2018, equations 6 and 7: f(x) = sum over experts i of softmax(W x)_i f_i(x), with a W for each task."""
    sharing, vector = MMoE(5, ["size", "shape"], out_dim=3, experts=4, hidden_dim=4), torch.randn(6, 5)
    hand, rows = by_hand(sharing), vector.numpy()
    said = [hand.perceptron(f"experts.experts.{expert}", rows) for expert in range(4)]
    np.testing.assert_allclose(sharing.shared(vector).detach(), np.stack(said, 1), atol=1e-6)
    for place, task in enumerate(["shape", "size"]):
        weights = hand.softmax(f"gate.{place}", rows)
        expected = sum(weights[:, [expert]] * said[expert] for expert in range(4))
        np.testing.assert_allclose(answer(sharing, vector, task), expected, atol=1e-6)
        _, gate = sharing.split(sharing.shared(vector), vector, task)
        assert gate.names == ["expert_1", "expert_2", "expert_3", "expert_4"]
        np.testing.assert_allclose(gate.weights.detach(), weights, atol=1e-6)
