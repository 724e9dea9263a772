"""`torch.export` makes a program of every fusion that gives what the fusion gives, for any number of rows and tokens.

Run in a process of its own: the shape checks of tests would tie a program to the shapes that it was exported with.
"""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml
from torch import Tensor, nn
from torch.export import Dim
from torch.testing import assert_close

from mmtrain.batch import Fused, Tokens

CHOICES = {path.stem: path for path in sorted((Path(__file__).parents[2] / "configs" / "fusion").glob("*.yaml"))}
QUICK = ["concat", "late", "perceiver"]  # vectors, views of single modalities, tokens
DIMS = {"image": 9, "text": 5}

Named = dict[str, Tensor]


class Plain(nn.Module):
    """A fusion whose inputs and outputs are tensors by name."""

    def __init__(self, fusion: nn.Module) -> None:
        super().__init__()
        self.fusion = fusion

    def forward(self, values: Named, masks: Named, present: Named) -> dict[str, tuple[Tensor, Tensor]]:
        """Each view's vector, and the rows that it speaks for."""
        views: dict[str, Fused] = self.fusion({name: Tokens(values[name], masks[name]) for name in values}, present)
        return {name: (view.vector, view.present) for name, view in views.items()}


def draw(rows: int, length: int, absent: list[str]) -> tuple[Named, Named, Named]:
    """Values, masks and presence; row 0 has all modalities but those that are absent from the whole batch."""
    values, masks, present = {}, {}, {}
    for name, dim in DIMS.items():
        there = (torch.rand(rows) > 0.3).index_fill(0, torch.tensor([0]), True) & (name not in absent)
        masks[name] = (torch.arange(length) < torch.randint(1, length + 1, (rows, 1))) & there[:, None]
        values[name] = torch.where(masks[name][..., None], torch.randn(rows, length, dim), 0.0)
        present[name] = there
    return values, masks, present


def compare(path: Path) -> None:
    """Exported with six rows of four tokens, run with others, down to one; with absent modalities, alone and together."""
    options = yaml.safe_load(path.read_text(encoding="utf-8"))
    module, _, name = options.pop("_target_").rpartition(".")
    torch.manual_seed(0)
    fusion = Plain(getattr(importlib.import_module(module), name)(DIMS, **options)).eval()
    rows, length = Dim("rows", min=1), Dim("length", min=1)
    many, presence = {key: {0: rows, 1: length} for key in DIMS}, {key: {0: rows} for key in DIMS}
    program = torch.export.export(fusion, draw(6, 4, []), dynamic_shapes=(many, many, presence)).module()
    for count, tokens, absent in [(6, 4, []), (9, 3, []), (1, 1, []), (4, 5, ["text"]), (4, 4, ["image"]), (5, 2, ["image", "text"])]:
        given = draw(count, tokens, absent)
        found, expected = program(*given), fusion(*given)
        assert list(found) == list(expected)
        for view, (vector, present) in expected.items():
            assert_close(found[view][0], vector)
            assert torch.equal(found[view][1], present)


def run(names: list[str]) -> None:
    found = subprocess.run([sys.executable, __file__, *names], capture_output=True, text=True)
    assert found.returncode == 0, found.stderr


def test_a_program_is_equal() -> None:
    run(QUICK)


@pytest.mark.slow
def test_every_other_program_is_equal() -> None:
    run(sorted(set(CHOICES) - set(QUICK)))


if __name__ == "__main__":
    failed = {}
    for choice in sys.argv[1:]:
        try:
            compare(CHOICES[choice])
        except Exception as error:  # whatever export finds: all of them are to be told
            failed[choice] = f"{type(error).__name__}: {error}"
    sys.exit("\n".join(f"{choice}: {problem}" for choice, problem in failed.items()) or 0)
