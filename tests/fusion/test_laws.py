"""What every fusion promises, for each choice in `configs/fusion`: a new one is tested by being there."""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from torch import Tensor, nn
from torch.testing import assert_close

from mmtrain.batch import Fused, Tokens

Given = tuple[dict[str, Tokens], dict[str, Tensor]]
Maker = Callable[..., Given]

CHOICES = sorted((Path(__file__).parents[2] / "configs" / "fusion").glob("*.yaml"))
DIMS = {"image": 3, "text": 5, "audio": 2, "facts": 4}
PAIR = {"image": 3, "text": 5}


class Choice:
    """One YAML of the group: builds the part with the options that stand there."""

    def __init__(self, path: Path) -> None:
        self.options: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
        module, _, name = self.options.pop("_target_").rpartition(".")
        self.part = getattr(importlib.import_module(module), name)

    def build(self, dims: Mapping[str, int], seed: int = 0, **options: Any) -> nn.Module:
        torch.manual_seed(seed)
        fusion: nn.Module = self.part(dims, **self.options | options)
        return fusion


@pytest.fixture(params=CHOICES, ids=[path.stem for path in CHOICES])
def choice(request: pytest.FixtureRequest) -> Choice:
    return Choice(request.param)


def run(fusion: nn.Module, given: Given) -> Fused:
    """The only view, from the same random state each time."""
    torch.manual_seed(1)
    views = fusion(*given)
    assert list(views) == fusion.views
    view: Fused = views[fusion.views[0]]
    return view


def gradients(fusion: nn.Module, given: Given) -> tuple[Fused, dict[str, Tensor]]:
    """The view, and the gradients of all parameters and token values for a loss that weighs every output differently."""
    tokens, present = given
    leaves = {name: part.values.clone().requires_grad_() for name, part in tokens.items()}
    fused = run(fusion, ({name: replace(part, values=leaves[name]) for name, part in tokens.items()}, present))
    fusion.zero_grad(set_to_none=True)
    (fused.vector * torch.linspace(-1, 1, fused.vector.numel()).reshape(fused.vector.shape))[fused.present].sum().backward()
    found = {name: leaf.grad for name, leaf in [*fusion.named_parameters(), *leaves.items()]}
    return fused, {name: grad for name, grad in found.items() if grad is not None}


def filled(given: Given, filler: float) -> Given:
    """The same rows with something else where nothing is: absent modalities and padding."""
    tokens, present = given
    return {
        name: replace(part, values=torch.where(part.mask[..., None], part.values, filler * torch.rand_like(part.values)))
        for name, part in tokens.items()
    }, present


def rows_of(given: Given, rows: slice) -> Given:
    """Some rows alone, with no more padding than they need."""
    tokens, present = given
    parts = {}
    for name, part in tokens.items():
        length = int(part.mask[rows].sum(1).max())
        parts[name] = replace(part, values=part.values[rows, :length], mask=part.mask[rows, :length])
    return parts, {name: there[rows] for name, there in present.items()}


@pytest.mark.parametrize("filler", [1.0, 1e30, float("inf"), float("-inf"), float("nan")])
def test_what_stands_in_an_absent_place_changes_nothing(choice: Choice, make: Maker, filler: float) -> None:
    fusion, given = choice.build(DIMS), make(DIMS)
    expected, slopes = gradients(fusion, given)
    found, other_slopes = gradients(fusion, filled(given, filler))
    assert torch.equal(found.vector, expected.vector)
    assert slopes.keys() == other_slopes.keys()
    assert all(torch.equal(slopes[name], other_slopes[name]) for name in slopes)


def test_absent_places_get_no_gradient(choice: Choice, make: Maker) -> None:
    given = make(DIMS)
    _, slopes = gradients(choice.build(DIMS), given)
    for name, part in given[0].items():
        assert torch.all(slopes[name][~part.mask] == 0)
        assert torch.any(slopes[name][part.mask] != 0)


def test_other_rows_and_padding_change_only_rounding(choice: Choice, make: Maker) -> None:
    fusion, given = choice.build(DIMS), make(DIMS, rows=8)
    together = run(fusion, given).vector
    for row in range(8):
        alone = run(fusion, rows_of(given, slice(row, row + 1))).vector[0]
        assert (alone - together[row]).norm() <= 1e-6 * together[row].norm()


def test_a_view_speaks_for_the_rows_that_have_a_modality(choice: Choice, make: Maker) -> None:
    given = make(DIMS)
    fused = run(choice.build(DIMS), given)
    assert fused.present.tolist() == [True, False, True, True, True, True]
    assert fused.vector.isfinite().all()
    assert fused.tokens == given[0]


def test_an_absent_modality_is_not_a_zero_one(choice: Choice, make: Maker) -> None:
    """Tokens of zeros are something that was measured."""
    tokens, present = make(PAIR)
    tokens["text"] = Tokens(torch.zeros(6, 4, 5), torch.ones(6, 4, dtype=torch.bool))
    fusion = choice.build(PAIR)
    nn.init.normal_(dict(fusion.named_parameters())["pool.layers.1.0.bias"]) if "pool.layers.1.0.bias" in dict(fusion.named_parameters()) else 0
    there = run(fusion, (tokens, {**present, "text": torch.ones(6, dtype=torch.bool)})).vector
    absent = run(fusion, (tokens, {**present, "text": torch.zeros(6, dtype=torch.bool)})).vector
    assert torch.all((there - absent).abs().sum(1) > 1e-3)


def test_a_modality_that_no_row_has(choice: Choice, make: Maker) -> None:
    tokens, present = make(DIMS)
    tokens["audio"] = Tokens(torch.zeros(6, 0, 2), torch.zeros(6, 0, dtype=torch.bool))
    present["audio"] = torch.zeros(6, dtype=torch.bool)
    fused, slopes = gradients(choice.build(DIMS), (tokens, present))
    assert fused.vector.isfinite().all()
    assert all(slope.isfinite().all() for slope in slopes.values())


def test_no_row_has_anything(choice: Choice) -> None:
    tokens = {name: Tokens(torch.zeros(2, 0, dim), torch.zeros(2, 0, dtype=torch.bool)) for name, dim in DIMS.items()}
    fused = run(choice.build(DIMS), (tokens, {name: torch.zeros(2, dtype=torch.bool) for name in DIMS}))
    assert fused.vector.isfinite().all()
    assert not fused.present.any()


def test_every_parameter_is_registered_and_learns(choice: Choice, make: Maker) -> None:
    fusion = choice.build(DIMS)
    parameters = dict(fusion.named_parameters())
    _, slopes = gradients(fusion, make(DIMS))
    assert parameters
    assert [name for name in parameters if name not in slopes or not slopes[name].any()] == []
    assert parameters.keys() <= fusion.state_dict().keys()


def test_everything_moves_with_the_module(choice: Choice, make: Maker) -> None:
    """A tensor left behind in a list keeps its type, and the result or the call betrays it."""
    fusion = choice.build(DIMS).to(torch.float64)
    assert {tensor.dtype for tensor in fusion.state_dict().values() if tensor.is_floating_point()} == {torch.float64}
    assert run(fusion, make(DIMS, dtype=torch.float64)).vector.dtype == torch.float64


def test_a_batch_of_one_and_a_width_of_one(choice: Choice, make: Maker) -> None:
    fusion = choice.build(DIMS, out_dim=1)
    assert fusion.out_dim == 1
    assert run(fusion, make(DIMS, rows=1, length=1)).vector.shape == (1, 1)


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_one_to_four_modalities(choice: Choice, make: Maker, count: int) -> None:
    dims = dict(list(DIMS.items())[:count])
    fused = run(choice.build(dims, out_dim=7), make(dims))
    assert fused.vector.shape == (6, 7)
    assert list(fused.tokens) == sorted(dims)


def test_save_and_load_are_equal(choice: Choice, make: Maker) -> None:
    given = make(DIMS)
    first, second = choice.build(DIMS, seed=0), choice.build(DIMS, seed=1)
    assert not torch.equal(run(first, given).vector, run(second, given).vector)
    second.load_state_dict(first.state_dict())
    assert torch.equal(run(first, given).vector, run(second, given).vector)


def test_the_order_of_modalities_changes_nothing(choice: Choice, make: Maker) -> None:
    tokens, present = make(DIMS)
    turned = {name: tokens[name] for name in reversed(tokens)}
    first = run(choice.build(DIMS), (tokens, present)).vector
    second = run(choice.build(dict(reversed(DIMS.items()))), (turned, present)).vector
    assert torch.equal(first, second)


def test_a_modality_may_have_any_name(choice: Choice, make: Maker) -> None:
    """Names that a module or a dictionary uses itself."""
    dims = {"values": 2, "type": 3, "train": 2, "forward": 2}
    assert run(choice.build(dims), make(dims)).vector.isfinite().all()


def test_gradients_are_right(choice: Choice, make: Maker) -> None:
    fusion = choice.build(PAIR, out_dim=2).to(torch.float64)
    tokens, present = make(PAIR, rows=3, length=2, dtype=torch.float64)

    def vector(*values: Tensor) -> Tensor:
        given = {name: replace(tokens[name], values=part) for name, part in zip(tokens, values, strict=True)}
        return run(fusion, (given, present)).vector

    assert torch.autograd.gradcheck(vector, [part.values.requires_grad_() for part in tokens.values()])


def test_lower_precision(choice: Choice, make: Maker) -> None:
    """Under autocast an encoder gives bfloat16, and a modality that no row has float32."""
    tokens, present = make(DIMS)
    tokens = {name: replace(part, values=part.values.bfloat16()) for name, part in tokens.items()}
    tokens["audio"] = Tokens(torch.zeros(6, 0, 2), torch.zeros(6, 0, dtype=torch.bool))
    present["audio"] = torch.zeros(6, dtype=torch.bool)
    fusion = choice.build(DIMS)
    with torch.autocast("cpu", torch.bfloat16):
        lower = run(fusion, (tokens, present)).vector
    assert_close(lower.float(), run(fusion, ({name: replace(part, values=part.values.float()) for name, part in tokens.items()}, present)).vector, atol=0.05, rtol=0)


@pytest.mark.slow
def test_compiled_is_equal(choice: Choice, make: Maker) -> None:
    fusion = choice.build(DIMS)
    compiled = torch.compile(fusion, fullgraph=True)
    for given in [make(DIMS), make(DIMS, rows=9, length=3)]:
        assert_close(compiled(*given)["fused"].vector, fusion(*given)["fused"].vector)
