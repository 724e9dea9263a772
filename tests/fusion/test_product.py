"""The product of Gaussians against numpy: its mean, its divergence, and what is drawn while training."""

from collections.abc import Callable
from typing import Any

import numpy as np

from mmtrain.fusion import Product

DIMS = {"text": 5, "image": 9, "audio": 2}


def test_values(draw: Callable[..., Any], by_hand: Callable[..., Any]) -> None:
    tokens, present = draw(DIMS)
    fusion = Product(DIMS, out_dim=2, pooled_dim=4, hidden_dim=6, latent_dim=3, kl=0.25).eval()
    hand = by_hand(fusion)
    vectors, there = hand.all_pooled(tokens, present)
    mean, precision, _ = product_by_hand(hand, vectors, there)
    expected = hand.joined(mean)
    divergence = 0.5 * (1 / precision + mean**2 - 1 + np.log(precision)).sum(1)[there.any(0)[:, 0]].mean()
    np.testing.assert_allclose(fusion(tokens, present)["fused"].penalties["kl"].detach(), 0.25 * divergence, rtol=1e-5)
    np.testing.assert_allclose(fusion(tokens, present)["fused"].vector.detach(), expected, atol=1e-6)


def product_by_hand(hand: Any, vectors: np.ndarray, there: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean and precision of the product of the present experts and a standard normal."""
    given = [hand.linear(f"experts.{place}", vector) for place, vector in enumerate(vectors)]
    precisions = np.stack([there[place] * np.exp(part[:, 3:]) for place, part in enumerate(given)])
    means = np.stack([part[:, :3] for part in given])
    precision = 1 + precisions.sum(0)
    return (precisions * means).sum(0) / precision, precision, means


def test_the_mean_is_where_the_product_of_densities_peaks() -> None:
    """One number, two experts N(1, 1/2) and N(-2, 1/4) and the prior N(0, 1): found by looking at all points of a line."""
    line = np.linspace(-3, 3, 600001)
    density = -0.5 * (2 * (line - 1) ** 2 + 4 * (line + 2) ** 2 + line**2)
    assert abs(line[density.argmax()] - (2 * 1 + 4 * -2) / (1 + 2 + 4)) < 1e-5


def test_it_is_drawn_from_the_product_while_training(draw: Callable[..., Any], by_hand: Callable[..., Any]) -> None:
    tokens, present = draw(DIMS)
    fusion = Product(DIMS, pooled_dim=4, latent_dim=3)
    hand = by_hand(fusion)
    vectors, there = hand.all_pooled(tokens, present)
    mean, precision, _ = product_by_hand(hand, vectors, there)
    drawn: list[np.ndarray] = []
    fusion.join.register_forward_pre_hook(lambda _, given: drawn.append(given[0].detach().numpy()))
    for _ in range(4000):
        fusion(tokens, present)
    np.testing.assert_allclose(np.mean(drawn, 0), mean, atol=0.07)
    np.testing.assert_allclose(np.std(drawn, 0), 1 / np.sqrt(precision), atol=0.05)
