"""Each choice of the group, tokens to fuse, and the layers of the vector fusions written out in numpy."""

import importlib
from collections.abc import Callable, Mapping
from math import erf
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from torch import Tensor, nn

from mmtrain.batch import Tokens

Given = tuple[dict[str, Tokens], dict[str, Tensor]]

CHOICES = sorted((Path(__file__).parents[2] / "configs" / "fusion").glob("*.yaml"))
SMALL: dict[str, dict[str, int]] = {"tensor": {"pooled_dim": 6}}  # a power of the number of modalities


@pytest.fixture(params=CHOICES, ids=[path.stem for path in CHOICES])
def build(request: pytest.FixtureRequest) -> Callable[..., nn.Module]:
    """Builds one YAML of the group, with the options that stand there, for the widths of some modalities."""
    choice = yaml.safe_load(request.param.read_text(encoding="utf-8"))
    module, _, name = choice.pop("_target_").rpartition(".")
    part = getattr(importlib.import_module(module), name)

    def build(dims: Mapping[str, int], seed: int = 0, **options: Any) -> nn.Module:
        torch.manual_seed(seed)
        fusion: nn.Module = part(dims, **choice | SMALL.get(request.param.stem, {}) | options)
        return fusion

    build.modalities = getattr(part, "modalities", None)  # type: ignore[attr-defined]
    return build


@pytest.fixture
def dims(build: Any) -> dict[str, int]:
    """Widths of as many modalities as the choice joins: four, where any number goes."""
    four = {"image": 9, "text": 12, "audio": 2, "facts": 4}
    return dict(list(four.items())[: build.modalities])


@pytest.fixture
def draw() -> Callable[..., Given]:
    """Draws tokens for rows of different lengths: row 0 has everything, row 1 nothing, the others lack at most one modality."""

    def draw(dims: Mapping[str, int], rows: int = 6, length: int = 4, dtype: torch.dtype = torch.float32) -> Given:
        tokens, present = {}, {}
        for place, (name, dim) in enumerate(sorted(dims.items())):
            there = torch.tensor([row != 1 and (row == 0 or len(dims) == 1 or row % len(dims) != place) for row in range(rows)])
            lengths = torch.randint(1, length + 1, (rows,)) * there
            lengths[0] = length
            mask = torch.arange(length) < lengths[:, None]
            values = torch.randn(rows, length, dim, dtype=dtype)
            tokens[name] = Tokens(torch.where(mask[..., None], values, 0.0), mask)
            present[name] = there
        return tokens, present

    return draw


class ByHand:
    """The layers of a fusion, read off its state dict: row by row, token by token."""

    def __init__(self, fusion: nn.Module) -> None:
        self.state = {name: tensor.double().numpy() for name, tensor in fusion.state_dict().items()}

    def pooled(self, place: int, tokens: Tokens, present: Tensor) -> np.ndarray:
        """Vectors of the modality at that place of the alphabet; zeros for absent rows."""
        vectors = []
        for values, mask, there in zip(tokens.values.double().numpy(), tokens.mask.numpy(), present.numpy(), strict=True):
            kept = values[mask] if there else np.zeros((1, values.shape[1]))
            summary = [kept.sum(0) / len(kept), kept.max(0)]
            if values.shape[1] >= 8:
                summary = [normalised(part) for part in summary]
            vector = self._hidden(f"pool.layers.{place}.{{}}.", 2, np.concatenate(summary))
            vectors.append(vector if there else np.zeros_like(vector))
        return np.stack(vectors)

    def all_pooled(self, tokens: Mapping[str, Tokens], present: Mapping[str, Tensor]) -> tuple[np.ndarray, np.ndarray]:
        """Vectors of all modalities, (K, B, D), in the order of their names, and whether a row has each, (K, B, 1)."""
        names = sorted(tokens)
        vectors = [self.pooled(place, tokens[name], present[name]) for place, name in enumerate(names)]
        return np.stack(vectors), np.stack([present[name].numpy() for name in names])[..., None]

    def linear(self, layer: str, vector: np.ndarray) -> np.ndarray:
        """What a linear layer of this name gives."""
        return np.asarray(vector @ self.state[f"{layer}.weight"].T + self.state[f"{layer}.bias"])

    def joined(self, vectors: np.ndarray) -> np.ndarray:
        """The perceptron behind the join."""
        hidden = np.stack([self._hidden("join.{}.", 0, vector) for vector in vectors])
        return hidden @ self.state["join.4.weight"].T + self.state["join.4.bias"]

    def projected(self, place: int, values: np.ndarray) -> np.ndarray:
        """The tokens of one row, (L, D), as a fusion of tokens brings them to its width, with where they stand."""
        if values.shape[1] >= 8:
            values = np.stack([normalised(value) for value in values]) if len(values) else values
        found = self.linear(f"project.layers.{place}.1", values)
        angles = np.arange(len(values))[:, None] * 10000.0 ** -np.linspace(0, 1, found.shape[1] // 2)
        return np.asarray(found + np.concatenate([np.sin(angles), np.cos(angles)], 1))

    def norm(self, layer: str, values: np.ndarray) -> np.ndarray:
        """LayerNorm with its scale and shift, for each token."""
        return np.stack([normalised(value) for value in values]) * self.state[f"{layer}.weight"] + self.state[f"{layer}.bias"]

    def attended(self, layer: str, values: np.ndarray, others: np.ndarray, heads: int) -> np.ndarray:
        """Attention of tokens (L, D) to others (M, D), token by token; nothing is seen where there are none."""
        query, keys_values = self.linear(f"{layer}.query", values), self.linear(f"{layer}.key_value", others)
        keys, read = np.split(keys_values, 2, 1)
        width = values.shape[1] // heads
        found = np.zeros_like(values)
        for token, head in ((token, head) for token in range(len(values)) for head in range(heads) if len(others)):
            part = slice(head * width, (head + 1) * width)
            weights = np.exp(keys[:, part] @ query[token, part] / np.sqrt(width))
            found[token, part] = weights @ read[:, part] / weights.sum()
        return self.linear(f"{layer}.output", found) if len(others) else found

    def cross_layer(self, layer: str, values: np.ndarray, others: np.ndarray, heads: int) -> np.ndarray:
        """Attention to others and a perceptron, each added."""
        read, source = self.norm(f"{layer}.before_attention", values), self.norm(f"{layer}.others", others) if len(others) else others
        return self._thought(layer, values + self.attended(f"{layer}.attention", read, source, heads))

    def self_layer(self, layer: str, values: np.ndarray, heads: int) -> np.ndarray:
        """Self-attention and a perceptron, each added."""
        read = self.norm(f"{layer}.before_attention", values)
        return self._thought(layer, values + self.attended(f"{layer}.attention", read, read, heads))

    def _thought(self, layer: str, values: np.ndarray) -> np.ndarray:
        hidden = self.linear(f"{layer}.perceptron.0", self.norm(f"{layer}.before_perceptron", values))
        gelu = np.array([[0.5 * number * (1 + erf(number / 2**0.5)) for number in row] for row in hidden]).reshape(hidden.shape)
        return values + self.linear(f"{layer}.perceptron.2", gelu)

    def read_out(self, seen: list[list[np.ndarray]]) -> np.ndarray:
        """Rows of tokens for each modality, pooled, laid side by side with flags, and joined."""
        vectors, flags = [], []
        for place, rows in enumerate(seen):
            there = torch.tensor([len(row) > 0 for row in rows])
            longest = max(len(row) for row in rows)
            padded = np.stack([np.concatenate([row, np.zeros((longest - len(row), row.shape[1]))]) for row in rows])
            mask = torch.arange(longest) < torch.tensor([len(row) for row in rows])[:, None]
            vectors.append(self.pooled(place, Tokens(torch.from_numpy(padded), mask), there))
            flags.append(there.numpy()[:, None])
        return self.joined(np.concatenate([*vectors, *flags], 1))

    def _hidden(self, layer: str, first: int, vector: np.ndarray) -> np.ndarray:
        """A linear map, the layer number `first`, then LayerNorm and GELU."""
        linear, norm = layer.format(first), layer.format(first + 1)
        values = normalised(self.state[linear + "weight"] @ vector + self.state[linear + "bias"])
        values = values * self.state.get(norm + "weight", 1.0) + self.state.get(norm + "bias", 0.0)
        return np.array([0.5 * number * (1 + erf(number / 2**0.5)) for number in values])


def rows_of(tokens: Mapping[str, Tokens]) -> list[list[np.ndarray]]:
    """The unmasked tokens, by modality (in the order of their names) and row."""
    return [
        [values[mask] for values, mask in zip(tokens[name].values.double().numpy(), tokens[name].mask.numpy(), strict=True)]
        for name in sorted(tokens)
    ]


def normalised(vector: np.ndarray) -> np.ndarray:
    return np.asarray((vector - vector.mean()) / np.sqrt(vector.var() + 1e-5))


@pytest.fixture
def unmasked() -> Callable[..., list[list[np.ndarray]]]:
    return rows_of


@pytest.fixture
def by_hand() -> type[ByHand]:
    return ByHand
