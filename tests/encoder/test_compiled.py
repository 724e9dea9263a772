"""A compiled encoder gives what the plain one gives. Run in a process of its own: the shape checks of tests cannot be compiled."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.testing import assert_close

from mmtrain.batch import Image, Series, Spectrogram, Tabular, Text, Vector, Video
from mmtrain.config import build, load
from mmtrain.spec import AudioSpec, ImageSpec, SeriesSpec, TabularSpec, TextSpec, VectorSpec, VideoSpec

NAMED = ("huggingface", "timm")  # whose network the user names
CHOICES = sorted(path for path in (Path(__file__).parents[2] / "configs" / "encoder").rglob("*.yaml") if path.stem not in NAMED)
SPECS = {
    "image": ImageSpec(3, 16, 16),
    "text": TextSpec(9, letters=6),
    "audio": AudioSpec(10),
    "tabular": TabularSpec(3, (4, 5)),
    "series": SeriesSpec(2),
    "vector": VectorSpec(5),
    "video": VideoSpec(12, 3, 16, 16),
}


def draw(kind: str, rows: int, length: int) -> Any:
    mask = torch.arange(length) < torch.randint(1, length + 1, (rows, 1))
    match kind:
        case "image":
            return Image(torch.rand(rows, 3, 16, 16))
        case "text":
            letters = torch.randint(1, 6, (rows, length, 4))
            return Text(
                torch.where(mask, torch.randint(1, 9, mask.shape), 0),
                mask,
                torch.where(mask[:, :, None], letters, 0),
                mask.cumsum(1) * mask,
            )
        case "audio":
            return Spectrogram(torch.where(mask[:, :, None], torch.rand(rows, length, 10), 0), mask)
        case "series":
            known = (torch.rand(rows, length, 2) > 0.3) & mask[:, :, None]
            return Series(torch.where(known, torch.randn(rows, length, 2), 0), known, mask)
        case "vector":
            return Vector(torch.randn(rows, 5))
        case "video":
            return Video(torch.where(mask[:, :, None, None, None], torch.rand(rows, length, 3, 16, 16), 0), mask)
        case _:
            return Tabular(torch.randn(rows, 3), torch.rand(rows, 3) > 0.3, torch.randint(0, 4, (rows, 2)))


def compare(path: Path) -> None:
    """Batch and length change; gradients of all parameters come back equal."""
    kind = path.parent.name
    node = load([f"encoder/{kind}={path.stem}"]).config.encoder[kind]  # with the parts inside it
    encoder = build({**node, "dropout": 0.0}, SPECS[kind])
    compiled = torch.compile(encoder, dynamic=True)
    for rows, length in [(6, 9), (5, 12), (1, 4)]:
        inputs = draw(kind, rows, length)
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
