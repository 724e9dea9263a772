"""What is predicted of an absent modality, and what it is held against."""

from collections.abc import Callable
from dataclasses import replace
from math import erf
from typing import Any

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from mmtrain.batch import Tokens
from mmtrain.missing import Impute

DIMS = {"audio": 4, "image": 5, "text": 3}
NAMES = sorted(DIMS)
Given = tuple[dict[str, Tokens], dict[str, torch.Tensor]]


class ByHand:
    """The small network in numpy, a row and a target at a time."""

    def __init__(self, part: Impute) -> None:
        self.state = {name: value.double().numpy() for name, value in part.state_dict().items()}

    def predict(self, target: str, vectors: dict[str, np.ndarray]) -> np.ndarray:
        """From the mean tokens of the other modalities that the row has."""
        read = [self._linear(f"read.{NAMES.index(name)}", vector) for name, vector in vectors.items() if name != target]
        place = NAMES.index(target)
        vector = self._norm("shared.0", np.mean(read, 0) + self.state["wanted.weight"][place])
        vector = self._norm("shared.2", self._linear("shared.1", vector))
        return self._linear(f"write.{place}", np.array([0.5 * x * (1 + erf(x / 2**0.5)) for x in vector]))

    def _linear(self, layer: str, vector: np.ndarray) -> np.ndarray:
        return np.asarray(self.state[f"{layer}.weight"] @ vector + self.state[f"{layer}.bias"])

    def _norm(self, layer: str, vector: np.ndarray) -> np.ndarray:
        normal = (vector - vector.mean()) / np.sqrt(vector.var() + 1e-5)
        return np.asarray(normal * self.state[f"{layer}.weight"] + self.state[f"{layer}.bias"])


def vectors_of(given: Given, row: int) -> dict[str, np.ndarray]:
    """The mean tokens of the modalities that a row has."""
    tokens, present = given
    return {name: part.values[row][part.mask[row]].double().numpy().mean(0) for name, part in tokens.items() if present[name][row]}


@pytest.mark.parametrize("weight", [1.0, 0.25])
def test_by_hand(draw: Callable[..., Any], weight: float) -> None:
    part, given = Impute(DIMS, hidden_dim=6, reconstruction=weight), draw(DIMS)
    tokens, *_ = part(*given)
    network = ByHand(part)
    for name in DIMS:
        errors, squares = list[float](), list[float]()
        for row in range(8):
            vectors = vectors_of(given, row)
            if vectors and name not in vectors:
                expected = torch.from_numpy(network.predict(name, vectors)).float()
                assert_close(tokens[name].values[row, 0], expected, rtol=1e-4, atol=1e-5)
                assert tokens[name].mask[row].tolist() == [True, False, False, False]
            elif len(vectors) > 1:
                errors.append(((network.predict(name, vectors) - vectors[name]) ** 2).sum())
                squares.append((vectors[name] ** 2).sum())
        assert tokens[name].penalties["reconstruction"].item() == pytest.approx(weight * sum(errors) / sum(squares), rel=1e-5)


def test_what_dropout_takes_is_a_target_but_no_source() -> None:
    """In the rows that lost it, its stand-in is predicted from what is left; all rows that had it count in the penalty."""
    part = Impute(DIMS, hidden_dim=6, dropout=0.6)
    whole = {name: Tokens(torch.randn(8, 2, dim), torch.ones(8, 2, dtype=torch.bool)) for name, dim in DIMS.items()}
    present = {name: torch.ones(8, dtype=torch.bool) for name in DIMS}
    torch.manual_seed(4)
    _, left = part.dropout(whole, present)
    torch.manual_seed(4)
    found, *_ = part(whole, present)
    network, kept = ByHand(part), {name: left[name] for name in DIMS}
    for name in DIMS:
        errors, squares = list[float](), list[float]()
        for row in range(8):
            vectors = {other: vector for other, vector in vectors_of((whole, present), row).items() if kept[other][row]}
            if not set(vectors) - {name}:
                continue  # it alone is left
            expected, real = network.predict(name, vectors), whole[name].values[row].double().numpy().mean(0)
            errors.append(((expected - real) ** 2).sum())
            squares.append((real**2).sum())
            if not kept[name][row]:
                assert_close(found[name].values[row, 0], torch.from_numpy(expected).float(), rtol=1e-4, atol=1e-5)
        assert found[name].penalties["reconstruction"].item() == pytest.approx(sum(errors) / sum(squares), rel=1e-5)


def test_without_a_weight_there_is_no_penalty(draw: Callable[..., Any]) -> None:
    tokens, *_ = Impute(DIMS, reconstruction=0.0)(*draw(DIMS))
    assert all(part.penalties == {} for part in tokens.values())


def test_the_penalty_does_not_pull_at_its_targets(draw: Callable[..., Any]) -> None:
    """Only at what they are predicted from: else an encoder would learn to say nothing."""
    tokens, present = draw(DIMS)
    leaves = {name: part.values.clone().requires_grad_() for name, part in tokens.items()}
    found, *_ = Impute(DIMS)({name: replace(part, values=leaves[name]) for name, part in tokens.items()}, present)
    found["image"].penalties["reconstruction"].backward()
    assert leaves["image"].grad is None or not leaves["image"].grad.any()
    assert leaves["text"].grad is not None
    assert leaves["text"].grad.any()


def test_the_size_of_tokens_does_not_change_what_a_penalty_weighs() -> None:
    """Zeros, from a network whose last maps are zero, cost 1, whatever is predicted."""
    part = Impute(DIMS, reconstruction=3.0)
    with torch.no_grad():
        for parameter in part.write.parameters():
            parameter.zero_()
    for size in (1e-2, 1.0, 100.0):
        tokens = {name: Tokens(size * torch.randn(5, 2, dim), torch.ones(5, 2, dtype=torch.bool)) for name, dim in DIMS.items()}
        found, *_ = part(tokens, {name: torch.ones(5, dtype=torch.bool) for name in DIMS})
        assert [part.penalties["reconstruction"].item() for part in found.values()] == pytest.approx([3.0] * 3)


def test_rows_that_have_one_modality_alone_make_no_penalty() -> None:
    tokens = {
        name: Tokens(torch.randn(3, 1, dim), torch.eye(3, dtype=torch.bool)[:, [place]]) for place, (name, dim) in enumerate(DIMS.items())
    }
    found, *_ = Impute(DIMS)(tokens, {name: part.mask[:, 0] for name, part in tokens.items()})
    assert [part.penalties["reconstruction"].item() for part in found.values()] == [0, 0, 0]


def test_it_learns_to_predict() -> None:
    """Image is twice text, as a vector: the penalty falls to a fraction, and so does the error in rows that lack the image."""
    torch.set_num_threads(1)  # of matrices this small, two are slower
    part = Impute({"image": 4, "text": 4}, hidden_dim=16, dropout=0.2)
    optimizer = torch.optim.Adam(part.parameters(), lr=1e-2)
    penalties = []
    for _ in range(120):
        values = torch.randn(64, 1, 4)
        tokens = {name: Tokens(factor * values, torch.ones(64, 1, dtype=torch.bool)) for name, factor in (("text", 1), ("image", 2))}
        found, *_ = part(tokens, {name: torch.ones(64, dtype=torch.bool) for name in tokens})
        penalty = torch.stack([found[name].penalties["reconstruction"] for name in tokens]).sum()
        penalty.backward()
        optimizer.step()
        optimizer.zero_grad()
        penalties.append(penalty.item())
    assert np.mean(penalties[-20:]) < 0.15 * np.mean(penalties[:5])
    part.eval()
    text = Tokens(torch.randn(64, 1, 4), torch.ones(64, 1, dtype=torch.bool))
    nothing = Tokens(torch.zeros(64, 0, 4), torch.zeros(64, 0, dtype=torch.bool))
    there = {"text": torch.ones(64, dtype=torch.bool), "image": torch.zeros(64, dtype=torch.bool)}
    found, *_ = part({"text": text, "image": nothing}, there)
    assert (found["image"].values - 2 * text.values).square().mean() < 0.15 * (2 * text.values).square().mean()
