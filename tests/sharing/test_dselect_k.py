"""The gate that chooses, against numpy."""

from typing import Any

import numpy as np
import torch

from mmtrain.sharing import DSelectK
from mmtrain.sharing.dselect_k import Choice, smooth_step

WIDTH = 0.8


def step_by_hand(number: float) -> float:
    """Hazimeh et al. 2020, The Tree Ensemble Layer: the smooth step of width gamma."""
    if number <= -WIDTH / 2:
        return 0.0
    if number >= WIDTH / 2:
        return 1.0
    return -2 / WIDTH**3 * number**3 + 3 / (2 * WIDTH) * number + 0.5


def by_selectors(hand: Any, place: int, rows: np.ndarray, *, chosen: int, experts: int) -> tuple[np.ndarray, np.ndarray]:
    """Weights, and the sum of entropies, of each row: selector by selector, expert by expert, digit by digit."""
    digits, importance = hand.linear(f"gate.{place}.digits", rows), hand.softmax(f"gate.{place}.importance", rows)
    count = int(np.log2(experts))
    weights, entropies = np.zeros((len(rows), experts)), np.zeros(len(rows))
    for row in range(len(rows)):
        for selector in range(chosen):
            steps = [step_by_hand(number) for number in digits[row, selector * count : (selector + 1) * count]]
            for expert in range(experts):
                bits = [(expert >> digit) % 2 for digit in range(count)]
                share = np.prod([step if bit else 1 - step for step, bit in zip(steps, bits, strict=True)])
                weights[row, expert] += importance[row, selector] * share
                entropies[row] -= share * np.log(share + 1e-6)
    return weights, entropies


def test_values(by_hand: Any, answer: Any) -> None:
    """Hazimeh et al. 2021: q(x) = sum over selectors i of softmax(G x)_i r(S(W_i x)), and the selectors' entropies."""
    sharing = DSelectK(5, ["size", "shape"], out_dim=3, experts=8, chosen=2, width=WIDTH, entropy=0.5, hidden_dim=4)
    for parameter in sharing.gate.parameters():  # from nearly equal to far apart, some beyond the step
        torch.nn.init.normal_(parameter, std=0.3)
    vector = torch.randn(6, 5)
    hand, rows = by_hand(sharing), vector.numpy()
    said = np.stack([hand.perceptron(f"experts.experts.{expert}", rows) for expert in range(8)], 1)
    for place, task in enumerate(["shape", "size"]):
        weights, entropies = by_selectors(hand, place, rows, chosen=2, experts=8)
        assert (weights == 0).any()
        _, gate = sharing.split(sharing.shared(vector), vector, task)
        np.testing.assert_allclose(gate.weights.detach(), weights, atol=1e-6)
        np.testing.assert_allclose(gate.weights.detach().sum(1), np.ones(6), atol=1e-6)
        np.testing.assert_allclose(gate.penalties["entropy"].detach(), 0.5 * entropies, atol=1e-5)
        np.testing.assert_allclose(answer(sharing, vector, task), np.einsum("bn,bno->bo", weights, said), atol=1e-6)


def test_at_most_so_many_are_chosen() -> None:
    choice = Choice(5, 16, chosen=3, width=1.0)
    torch.nn.init.normal_(choice.digits.weight, std=100.0)
    weights, entropies = choice(torch.randn(50, 5))
    assert torch.all((weights > 0).sum(1) <= 3)
    assert torch.any((weights > 0).sum(1) > 1)
    assert weights.sum(1).allclose(torch.ones(50))
    assert entropies.isfinite().all()


def test_a_gate_that_has_chosen_has_finite_gradients() -> None:
    choice = Choice(5, 4, chosen=2, width=1.0)
    torch.nn.init.normal_(choice.digits.weight, std=100.0)
    weights, entropies = choice(torch.randn(50, 5))
    (weights[:, 0].sum() + entropies.sum()).backward()
    assert all(parameter.grad is not None and parameter.grad.isfinite().all() for parameter in choice.parameters())


def test_the_entropy_makes_a_gate_choose() -> None:
    choice, vector = Choice(5, 4, chosen=2, width=1.0), torch.randn(1, 5)
    optimizer = torch.optim.SGD(choice.parameters(), lr=0.05)
    for _ in range(200):
        optimizer.zero_grad()
        choice(vector)[1].sum().backward()
        optimizer.step()
    weights, entropies = choice(vector)
    assert int((weights > 1e-3).sum()) <= 2
    assert entropies.item() < 0.01


def test_the_step_has_a_continuous_derivative() -> None:
    values = torch.tensor([-0.5 - 1e-4, -0.5 + 1e-4, 0.0, 0.5 - 1e-4, 0.5 + 1e-4], requires_grad=True)
    steps = smooth_step(values)
    [slopes] = torch.autograd.grad(steps.sum(), values)
    np.testing.assert_allclose(steps.detach(), [0, 0, 0.5, 1, 1], atol=1e-6)
    np.testing.assert_allclose(slopes, [0, 0, 1.5, 0, 0], atol=1e-3)
