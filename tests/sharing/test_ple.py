"""Several levels of experts against numpy."""

from typing import Any

import numpy as np
import pytest
import torch

from mmtrain.sharing import PLE


@pytest.mark.parametrize("levels", [2, 3])
def test_values(by_hand: Any, answer: Any, levels: int) -> None:
    """Tang et al. 2020, section 4.2, equation 5: gates of level j read what the gates of level j - 1 chose."""
    tasks = ["shape", "size"]
    sharing, vector = PLE(5, tasks[::-1], out_dim=3, levels=levels, common=1, own=2, hidden_dim=4), torch.randn(6, 5)
    hand = by_hand(sharing)
    states, common_state = [vector.numpy()] * 2, vector.numpy()
    for level in range(levels):
        own = [
            [hand.perceptron(f"levels.{level}.own.{place}.experts.{expert}", states[place]) for expert in range(2)] for place in range(2)
        ]
        common = [hand.perceptron(f"levels.{level}.common.experts.0", common_state)]
        chosen = []
        for place in range(2):
            weights = hand.softmax(f"levels.{level}.gate.{place}", states[place])
            chosen.append(sum(weights[:, [number]] * said for number, said in enumerate([*own[place], *common])))
        if level < levels - 1:
            weights = hand.softmax(f"common_gate.{level}", common_state)
            common_state = sum(weights[:, [number]] * said for number, said in enumerate([*own[0], *own[1], *common]))
        states = chosen
    for place, task in enumerate(tasks):
        np.testing.assert_allclose(answer(sharing, vector, task), states[place], atol=1e-6)


def test_the_cut_holds_all_that_the_tasks_read_of_each_other() -> None:
    """Behind the features, a task owns all that it moves; the levels before are moved through them alone."""
    sharing, vector = PLE(5, ["shape", "size"]), torch.randn(6, 5)
    features = sharing.shared(vector)
    own, _ = sharing.split(features.detach(), vector, "size")
    own.sum().backward()
    moved = {name for name, parameter in sharing.named_parameters() if parameter.grad is not None}
    assert {name[: len("levels.1.own.1")] for name in moved} == {"levels.1.own.1", "levels.1.gate."}
    assert not [name for name in moved if name.startswith("levels.1.gate.0")]
