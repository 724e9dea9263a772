"""A compiled fusion gives what the plain one gives. Run in a process of its own: the shape checks of tests cannot be compiled."""

import importlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import yaml
from torch import Tensor
from torch.testing import assert_close

from mmtrain.batch import Fused, Tokens

CHOICES = sorted((Path(__file__).parents[2] / "configs" / "fusion").glob("*.yaml"))
DIMS = {"image": 9, "text": 5}


def draw(rows: int, length: int) -> tuple[dict[str, Tokens], dict[str, Tensor]]:
    """Tokens as encoders give them, with a graph behind them."""
    tokens = {}
    for name, dim in DIMS.items():
        mask = torch.rand(rows, length) > 0.3
        values = torch.randn(rows, length, dim, requires_grad=True)
        tokens[name] = Tokens(torch.where(mask[..., None], values, 0.0), mask)
    return tokens, {name: part.mask.any(1) for name, part in tokens.items()}


def compare(path: Path) -> None:
    """Batch and length change, down to a modality that no row has; `fullgraph` refuses whatever would break the graph."""
    options = yaml.safe_load(path.read_text(encoding="utf-8"))
    module, _, name = options.pop("_target_").rpartition(".")
    fusion = getattr(importlib.import_module(module), name)(DIMS, **options).eval()  # nothing is drawn at random
    compiled: Callable[..., dict[str, Fused]] = torch.compile(fusion, fullgraph=True)
    for rows, length in [(6, 4), (9, 3), (5, 0)]:
        given = draw(rows, length)
        for view, expected in fusion(*given).items():
            found = compiled(*given)[view]
            assert_close(found.vector, expected.vector)
            assert torch.equal(found.present, expected.present)


@pytest.mark.slow
@pytest.mark.parametrize("path", CHOICES, ids=[path.stem for path in CHOICES])
def test_compiled_is_equal(path: Path) -> None:
    found = subprocess.run([sys.executable, __file__, str(path)], capture_output=True, text=True)
    assert found.returncode == 0, found.stderr


if __name__ == "__main__":
    compare(Path(sys.argv[1]))
