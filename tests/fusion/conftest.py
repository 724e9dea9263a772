"""Tokens to fuse, and the layers of the vector fusions written out in numpy."""

from collections.abc import Callable, Mapping
from math import erf

import numpy as np
import pytest
import torch
from torch import Tensor

from mmtrain.batch import Tokens

Given = tuple[dict[str, Tokens], dict[str, Tensor]]
Maker = Callable[..., Given]


@pytest.fixture
def make() -> Maker:
    """Draw tokens of `rows` rows: lengths differ, row 0 is complete, row 1 is empty, every other row lacks at most one modality."""

    def make(dims: Mapping[str, int], rows: int = 6, length: int = 4, dtype: torch.dtype = torch.float32) -> Given:
        tokens, present = {}, {}
        for place, (name, dim) in enumerate(sorted(dims.items())):
            there = torch.tensor([row != 1 and (row < 2 or len(dims) == 1 or row % len(dims) != place) for row in range(rows)])
            lengths = torch.randint(1, length + 1, (rows,)) * there
            lengths[0] = length
            mask = torch.arange(length) < lengths[:, None]
            values = torch.randn(rows, length, dim, dtype=dtype)
            tokens[name] = Tokens(torch.where(mask[..., None], values, 0.0), mask)
            present[name] = there
        return tokens, present

    return make


class ByHand:
    """The layers, read off a state dict: exact GELU, LayerNorm with 1e-5."""

    def __init__(self, state: Mapping[str, Tensor]) -> None:
        self.state = {name: tensor.detach().double().numpy() for name, tensor in state.items()}

    def pooled(self, place: int, tokens: Tokens, present: Tensor) -> np.ndarray:
        """Row by row, token by token; absent rows 0."""
        vectors = []
        for values, mask, there in zip(tokens.values.double().numpy(), tokens.mask.numpy(), present.numpy(), strict=True):
            kept = [token for token, known in zip(values, mask, strict=True) if known]
            summary = np.concatenate([np.mean(kept, 0), np.max(kept, 0)]) if there else None
            vectors.append(self._hidden(f"pool.layers.{place}.", summary))
        return np.stack([np.zeros_like(vectors[0]) if vector is None else vector for vector in vectors])

    def joined(self, vector: np.ndarray) -> np.ndarray:
        """The hidden layer after the join."""
        hidden = np.stack([self._hidden("join.", row) for row in vector])
        return hidden @ self.state["join.4.weight"].T + self.state["join.4.bias"]

    def _hidden(self, prefix: str, vector: np.ndarray | None) -> np.ndarray | None:
        if vector is None:
            return None
        linear = self.state[prefix + "0.weight"] @ vector + self.state[prefix + "0.bias"]
        normal = (linear - linear.mean()) / np.sqrt(linear.var() + 1e-5)
        if prefix + "1.weight" in self.state:
            normal = normal * self.state[prefix + "1.weight"] + self.state[prefix + "1.bias"]
        return np.array([0.5 * x * (1 + erf(x / 2**0.5)) for x in normal])


@pytest.fixture
def by_hand() -> type[ByHand]:
    return ByHand
