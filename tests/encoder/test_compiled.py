"""A compiled encoder gives what the plain one gives. Run in a process of its own: the shape checks of tests cannot be compiled."""

import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from torch.testing import assert_close

from mmtrain.batch import Image, Spectrogram, Tabular, Text
from mmtrain.spec import AudioSpec, ImageSpec, TabularSpec, TextSpec

CHOICES = sorted((Path(__file__).parents[2] / "configs" / "encoder").rglob("*.yaml"))
SPECS = {"image": ImageSpec(3, 16, 16), "text": TextSpec(9), "audio": AudioSpec(10), "tabular": TabularSpec(3, (4, 5))}


def draw(kind: str, rows: int, length: int) -> Any:
    mask = torch.arange(length) < torch.randint(1, length + 1, (rows, 1))
    match kind:
        case "image":
            return Image(torch.rand(rows, 3, 16, 16))
        case "text":
            return Text(torch.where(mask, torch.randint(1, 9, mask.shape), 0), mask, torch.zeros(*mask.shape, 0, dtype=torch.int64))
        case "audio":
            return Spectrogram(torch.where(mask[:, :, None], torch.rand(rows, length, 10), 0), mask)
        case _:
            return Tabular(torch.randn(rows, 3), torch.rand(rows, 3) > 0.3, torch.randint(0, 4, (rows, 2)))


def compare(path: Path) -> None:
    """Batch and length change; gradients of all parameters come back equal."""
    options = yaml.safe_load(path.read_text(encoding="utf-8"))
    module, _, name = options.pop("_target_").rpartition(".")
    encoder = getattr(importlib.import_module(module), name)(SPECS[path.parent.name], **options, dropout=0.0)
    compiled = torch.compile(encoder, dynamic=True)
    for rows, length in [(6, 9), (5, 12), (1, 4)]:
        inputs = draw(path.parent.name, rows, length)
        found, expected = (part(inputs).values for part in (compiled, encoder))
        assert_close(found, expected, atol=1e-4, rtol=1e-4)
        left = [torch.autograd.grad(values.pow(2).sum(), list(encoder.parameters())) for values in (found, expected)]
        assert_close(*left, atol=1e-3, rtol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("path", CHOICES, ids=["-".join(path.parts[-2:]).removesuffix(".yaml") for path in CHOICES])
def test_compiled_is_equal(path: Path) -> None:
    found = subprocess.run([sys.executable, __file__, str(path)], capture_output=True, text=True)
    assert found.returncode == 0, found.stderr


if __name__ == "__main__":
    compare(Path(sys.argv[1]))
