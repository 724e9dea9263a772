"""What every decision promises, for each choice in `configs/decision`: a new one is tested by being there."""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from torch import Tensor, nn
from torch.testing import assert_close

from mmtrain.decision import Stack
from mmtrain.errors import ConfigError
from mmtrain.spec import TaskSpec

Given = tuple[dict[str, Tensor], dict[str, Tensor], Tensor]
Build = Callable[..., nn.Module]
Draw = Callable[..., Given]

CHOICES = sorted((Path(__file__).parents[2] / "configs" / "decision").glob("*.yaml"))
OTHERWISE: dict[str, list[dict[str, Any]]] = {  # options that change the formula
    "mean": [{"of": "probabilities"}],
    "product": [{"prior": "uniform"}],
    "weighted": [{"weights": {"image": 3.0}}],
}
WAYS = [(path, options) for path in CHOICES for options in [{}, *OTHERWISE.get(path.stem, [])]]
SHAPES = {"classes": (4,), "binary": (), "numbers": ()}
VIEWS = ["tone", "words", "image"]  # without `fused`, beside which `auto` hears no other


@pytest.fixture(params=WAYS, ids=["-".join([path.stem, *options]) for path, options in WAYS])
def build(request: pytest.FixtureRequest) -> Build:
    """Builds one YAML of the group, with the options that stand there; `learned` moves its parameters away from their start."""
    path, options = request.param
    choice = yaml.safe_load(path.read_text(encoding="utf-8"))
    module, _, name = choice.pop("_target_").rpartition(".")
    part = getattr(importlib.import_module(module), name)

    def build(kind: Any, views: list[str] = VIEWS, *, learned: bool = True) -> nn.Module:
        torch.manual_seed(0)
        spec = TaskSpec(9, gaussian=kind == "numbers", prediction=kind, shape=SHAPES[kind])
        decision: nn.Module = part(views, spec, **choice | options)
        for parameter in decision.parameters() if learned else ():
            nn.init.normal_(parameter)
        return decision

    return build


def gradients(decision: nn.Module, given: Given) -> dict[str, Tensor]:
    """The gradients of all parameters and predictions for a loss that weighs every output differently."""
    predictions, present, prior = given
    leaves = {view: values.clone().requires_grad_() for view, values in predictions.items()}
    decided = decision(leaves, present, prior)
    (decided * torch.linspace(-1, 1, decided.numel()).reshape(decided.shape)).sum().backward()
    found = {name: leaf.grad for name, leaf in [*decision.named_parameters(), *leaves.items()]}
    return {name: gradient for name, gradient in found.items() if gradient is not None}


def rows_of(given: Given, rows: slice) -> Given:
    predictions, present, prior = given
    return {view: values[rows] for view, values in predictions.items()}, {view: there[rows] for view, there in present.items()}, prior


def wide(there: Tensor, values: Tensor) -> Tensor:
    return there.reshape(-1, *[1] * (values.ndim - 1)).expand_as(values)


def answer(kind: str, decided: Tensor) -> Tensor:
    """Logits of classes are the same if they differ by a constant."""
    return decided.softmax(-1) if kind == "classes" else decided


@pytest.mark.parametrize("filler", [1.0, 1e30, float("inf"), float("-inf"), float("nan")])
def test_what_an_absent_view_says_changes_nothing(build: Build, draw: Draw, kind: str, filler: float) -> None:
    predictions, present, prior = draw(kind, VIEWS)
    filled = {view: torch.where(wide(present[view], values), values, filler) for view, values in predictions.items()}
    given, other = (predictions, present, prior), (filled, present, prior)
    assert torch.equal(build(kind)(*other), build(kind)(*given))
    expected, found = gradients(build(kind), given), gradients(build(kind), other)
    assert expected.keys() == found.keys()
    assert [name for name in expected if not torch.equal(expected[name], found[name])] == []


def test_absent_views_get_no_gradient_and_present_ones_do(build: Build, draw: Draw, kind: str) -> None:
    given = draw(kind, VIEWS)
    found = gradients(build(kind), given)
    for view, there in given[1].items():
        assert torch.all(found[view][~there] == 0)
        assert torch.any(found[view][there] != 0)


def test_a_row_without_a_view_gets_the_prior(build: Build, draw: Draw, kind: str) -> None:
    predictions, present, prior = draw(kind, VIEWS)
    nothing = {view: torch.zeros_like(there) for view, there in present.items()}
    decided = build(kind)(predictions, nothing, prior)
    assert torch.equal(decided, prior.expand_as(decided))
    assert all(torch.all(gradient == 0) for gradient in gradients(build(kind), (predictions, nothing, prior)).values())


def test_a_view_alone_gives_its_own_prediction(build: Build, draw: Draw, kind: str) -> None:
    predictions, present, prior = draw(kind, VIEWS)
    decision = build(kind, learned=False)
    decisions = [decision] if isinstance(decision, Stack) else [decision, build(kind)]
    for view in VIEWS:
        alone = {other: torch.full_like(there, other == view) for other, there in present.items()}
        for decision in decisions:
            assert_close(answer(kind, decision(predictions, alone, prior)), answer(kind, predictions[view]))


def test_rows_are_decided_alone(build: Build, draw: Draw, kind: str) -> None:
    decision, given = build(kind), draw(kind, VIEWS)
    alone = [decision(*rows_of(given, slice(row, row + 1))) for row in range(8)]
    assert_close(torch.cat(alone), decision(*given), rtol=1e-6, atol=1e-6)


def test_no_rows_no_decisions(build: Build, draw: Draw, kind: str) -> None:
    given = rows_of(draw(kind, VIEWS), slice(0))
    assert build(kind)(*given).shape == (0, *SHAPES[kind])
    assert all(torch.all(gradient == 0) for gradient in gradients(build(kind), given).values())


def test_the_order_of_views_changes_nothing(build: Build, draw: Draw, kind: str) -> None:
    predictions, present, prior = draw(kind, VIEWS)
    turned = {view: predictions[view] for view in reversed(VIEWS)}, {view: present[view] for view in sorted(VIEWS)}, prior
    assert torch.equal(build(kind, VIEWS[::-1])(*turned), build(kind)(predictions, present, prior))


@pytest.mark.parametrize("views", [["image"], ["fused"], ["fused", "image"], ["image", "fused", "values", "type", "forward"]])
def test_any_views(build: Build, draw: Draw, kind: str, views: list[str]) -> None:
    """One or many, with or without `fused`, under names that modules or dictionaries use themselves."""
    try:
        decision = build(kind, views)
    except ConfigError:  # weights that name a view which is not there
        return
    predictions, _, prior = draw(kind, views)
    decided = decision(predictions, {view: torch.arange(8) > place for place, view in enumerate(views)}, prior)
    assert decided.shape == (8, *SHAPES[kind])
    assert decided.isfinite().all()


def test_every_parameter_is_registered_and_learns(build: Build, draw: Draw, kind: str) -> None:
    decision = build(kind, learned=False)
    found = gradients(decision, draw(kind, VIEWS))
    names = [name for name, _ in decision.named_parameters()]
    assert [name for name in names if name not in found or not found[name].any()] == []
    assert set(names) <= set(decision.state_dict())


@pytest.mark.parametrize("scale", [0.0, 1e4, 1e30])
def test_sure_views_have_finite_gradients(build: Build, draw: Draw, kind: str, scale: float) -> None:
    """Also where they contradict each other, or are all equal."""
    predictions, present, prior = draw(kind, VIEWS)
    given = {view: scale * values for view, values in predictions.items()}, present, prior
    assert build(kind)(*given).isfinite().all()
    assert all(gradient.isfinite().all() for gradient in gradients(build(kind), given).values())


def test_gradients_are_right(build: Build, draw: Draw, kind: str) -> None:
    decision = build(kind).to(torch.float64)
    predictions, present, prior = draw(kind, VIEWS, torch.float64)

    def decided(*values: Tensor) -> Tensor:
        found: Tensor = decision(dict(zip(VIEWS, values, strict=True)), present, prior)
        return found

    assert decided(*predictions.values()).dtype == torch.float64
    assert torch.autograd.gradcheck(decided, [values.requires_grad_() for values in predictions.values()], fast_mode=True)


def test_nothing_is_looked_at_on_the_host(build: Build, draw: Draw, kind: str) -> None:
    """Tensors without values have shapes alone: whoever asks for a number fails."""
    predictions, present, prior = draw(kind, VIEWS)
    empty = [{view: values.to("meta") for view, values in part.items()} for part in (predictions, present)]
    assert build(kind).to("meta")(*empty, prior.to("meta")).shape == (8, *SHAPES[kind])
