"""Mixed streams against numpy."""

from typing import Any

import numpy as np
import pytest
import torch

from mmtrain.sharing import CrossStitch

TASKS = ["match", "shape", "size"]


@pytest.mark.parametrize("layers", [1, 3])
def test_values(by_hand: Any, answer: Any, layers: int) -> None:
    """Misra et al. 2016, equation 1, for three tasks: after each layer, stream t becomes the sum over s of alpha_ts times stream s."""
    sharing, vector = CrossStitch(5, TASKS[::-1], out_dim=4, layers=layers), torch.randn(6, 5)
    for stitch in sharing.stitches:
        torch.nn.init.normal_(stitch)
    hand = by_hand(sharing)
    streams = [vector.numpy()] * 3
    for number in range(layers):
        said = [hand.layer(f"layers.{number}.{place}", streams[place]) for place in range(3)]
        alpha = hand.state[f"stitches.{number}"]
        streams = [sum(alpha[mine, other] * said[other] for other in range(3)) for mine in range(3)]
    np.testing.assert_allclose(sharing.shared(vector).detach(), np.stack(said, 1), atol=1e-6)
    for place, task in enumerate(TASKS):
        np.testing.assert_allclose(answer(sharing, vector, task), streams[place], atol=1e-5)
        _, gate = sharing.split(sharing.shared(vector), vector, task)
        assert gate.names == TASKS
        np.testing.assert_allclose(gate.weights.detach(), np.tile(alpha[place], (6, 1)), atol=1e-7)


@pytest.mark.parametrize(
    ("tasks", "expected"),
    [
        (["a"], [[1.0]]),
        (["a", "b"], [[0.9, 0.1], [0.1, 0.9]]),
        (["a", "b", "c"], [[0.9, 0.05, 0.05], [0.05, 0.9, 0.05], [0.05, 0.05, 0.9]]),
    ],
)
def test_a_task_begins_with_most_of_its_own(tasks: list[str], expected: list[list[float]]) -> None:
    for stitch in CrossStitch(5, tasks).stitches:
        np.testing.assert_allclose(stitch.detach(), expected, atol=1e-7)


def test_all_streams_of_the_layers_behind_the_cut_are_before_it() -> None:
    """Behind the features, a task owns a row of the last matrix and nothing else."""
    sharing, vector = CrossStitch(5, TASKS), torch.randn(6, 5)
    own, _ = sharing.split(sharing.shared(vector).detach(), vector, "shape")
    own.sum().backward()
    moved = {name: parameter.grad for name, parameter in sharing.named_parameters() if parameter.grad is not None}
    assert set(moved) == {"stitches.1"}
    assert moved["stitches.1"].any(1).tolist() == [False, True, False]
