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


@pytest.fixture(params=CHOICES, ids=[path.stem for path in CHOICES])
def build(request: pytest.FixtureRequest) -> Callable[..., nn.Module]:
    """Builds one YAML of the group, with the options that stand there, for the widths of some modalities."""
    choice = yaml.safe_load(request.param.read_text(encoding="utf-8"))
    module, _, name = choice.pop("_target_").rpartition(".")
    part = getattr(importlib.import_module(module), name)

    def build(dims: Mapping[str, int], seed: int = 0, **options: Any) -> nn.Module:
        torch.manual_seed(seed)
        fusion: nn.Module = part(dims, **choice | options)
        return fusion

    return build


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

    def joined(self, vectors: np.ndarray) -> np.ndarray:
        """The perceptron behind the join."""
        hidden = np.stack([self._hidden("join.{}.", 0, vector) for vector in vectors])
        return hidden @ self.state["join.4.weight"].T + self.state["join.4.bias"]

    def _hidden(self, layer: str, first: int, vector: np.ndarray) -> np.ndarray:
        """A linear map, the layer number `first`, then LayerNorm and GELU."""
        linear, norm = layer.format(first), layer.format(first + 1)
        values = normalised(self.state[linear + "weight"] @ vector + self.state[linear + "bias"])
        values = values * self.state.get(norm + "weight", 1.0) + self.state.get(norm + "bias", 0.0)
        return np.array([0.5 * number * (1 + erf(number / 2**0.5)) for number in values])


def normalised(vector: np.ndarray) -> np.ndarray:
    return np.asarray((vector - vector.mean()) / np.sqrt(vector.var() + 1e-5))


@pytest.fixture
def by_hand() -> type[ByHand]:
    return ByHand
