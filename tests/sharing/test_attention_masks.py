"""Masks over shared layers against numpy."""

from typing import Any

import numpy as np
import pytest
import torch

from mmtrain.sharing import AttentionMasks


@pytest.mark.parametrize("layers", [1, 3])
def test_values(by_hand: Any, answer: Any, layers: int) -> None:
    """Liu et al. 2019, equations 1 and 2: picked_j = a_j * p_j, a_j = h_j(g_j([u_j; f_j(picked_j-1)])), the first of u_1 alone."""
    sharing, vector = AttentionMasks(5, ["size", "shape"], out_dim=4, layers=layers), torch.randn(6, 5)
    hand = by_hand(sharing)
    for place, task in enumerate(["shape", "size"]):
        shared, picked, passed = vector.numpy(), np.zeros((6, 0)), []
        for block in range(layers):
            middle = hand.layer(f"first.{block}", shared)
            shared = hand.layer(f"second.{block}", middle)
            read = middle if block == 0 else np.concatenate([middle, hand.layer(f"between.{block - 1}", picked)], 1)
            mask = 1 / (1 + np.exp(-hand.linear(f"masks.{place}.{block}.3", hand.layer(f"masks.{place}.{block}", read))))
            picked = mask * shared
            passed.append(mask.mean(1))
        np.testing.assert_allclose(answer(sharing, vector, task), picked, atol=1e-6)
        _, gate = sharing.split(sharing.shared(vector), vector, task)
        assert gate.names == [f"layer_{number}" for number in range(1, layers + 1)]
        np.testing.assert_allclose(gate.weights.detach(), np.stack(passed, 1), atol=1e-6)


def test_the_cut_holds_all_that_masks_read() -> None:
    """Behind the features there are masks and what lies between them; the shared layers are all before."""
    sharing, vector = AttentionMasks(5, ["shape", "size"]), torch.randn(6, 5)
    own, _ = sharing.split(sharing.shared(vector).detach(), vector, "size")
    own.sum().backward()
    moved = {name.rsplit(".", 3)[0] for name, parameter in sharing.named_parameters() if parameter.grad is not None}
    assert {name.split(".")[0] for name in moved} == {"masks", "between"}
    assert not [name for name in moved if name.startswith("masks.0")]
