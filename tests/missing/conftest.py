"""Each choice of the group, and tokens with gaps in them."""

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from torch import Tensor

from mmtrain.batch import Tokens

Given = tuple[dict[str, Tokens], dict[str, Tensor]]

CHOICES = sorted((Path(__file__).parents[2] / "configs" / "missing").glob("*.yaml"))


@pytest.fixture(params=CHOICES, ids=[path.stem for path in CHOICES])
def build(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Builds one YAML of the group for the widths of some modalities, always from the same random state."""
    module, _, name = yaml.safe_load(request.param.read_text(encoding="utf-8"))["_target_"].rpartition(".")
    part = getattr(importlib.import_module(module), name)

    def build(dims: Mapping[str, int], **options: Any) -> Any:
        torch.manual_seed(0)
        return part(dims, **options)

    return build


@pytest.fixture
def draw() -> Callable[..., Given]:
    """Draws tokens for rows of different lengths: row 0 has everything, row 1 nothing, the others lack the modality that comes next."""

    def draw(dims: Mapping[str, int], rows: int = 8, length: int = 4) -> Given:
        tokens, present = {}, {}
        for place, (name, dim) in enumerate(dims.items()):
            there = torch.tensor([row == 0 or (row > 1 and row % len(dims) != place) for row in range(rows)])
            mask = (torch.arange(length) < torch.randint(1, length + 1, (rows, 1))) & there[:, None]
            tokens[name] = Tokens(torch.where(mask[..., None], torch.randn(rows, length, dim), 0.0), mask, grid=(1, length))
            present[name] = there
        return tokens, present

    return draw
