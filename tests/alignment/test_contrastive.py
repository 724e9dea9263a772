"""What aligning costs, held against the formula row by row; what must not change it; and what comes of it."""

import math
from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from mmtrain.alignment import Contrastive, Nothing
from mmtrain.assembly import build_model, data_parts
from mmtrain.batch import Tokens
from mmtrain.config import load
from mmtrain.data import prepare

Given = tuple[dict[str, Tokens], dict[str, Tensor]]

DIMS = {"image": 5, "text": 3, "audio": 4}
PAIR = {"image": 5, "text": 3}


def build(dims: Mapping[str, int] = DIMS, dim: int = 6, weight: float = 1.0) -> Contrastive:
    torch.manual_seed(0)
    return Contrastive(dims, dim=dim, weight=weight)


def draw(dims: Mapping[str, int] = DIMS, rows: int = 10, length: int = 4) -> Given:
    """Row 0 has everything, row 1 nothing, every other row lacks at most one modality."""
    tokens, present = {}, {}
    for place, (name, dim) in enumerate(sorted(dims.items())):
        there = torch.tensor([row != 1 and (row == 0 or row % 4 != place) for row in range(rows)])
        mask = (torch.arange(length) < torch.randint(1, length + 1, (rows, 1))) & there[:, None]
        tokens[name] = Tokens(torch.where(mask[..., None], torch.randn(rows, length, dim), 0.0), mask)
        present[name] = there
    return tokens, present


def penalty(part: Contrastive, given: Given) -> Tensor:
    return part(*given)["contrastive"]


def gradients(part: Contrastive, given: Given) -> dict[str, Tensor]:
    """Of all weights and of all tokens; what has none is left out."""
    tokens, present = given
    leaves = {name: tokens.values.clone().requires_grad_() for name, tokens in tokens.items()}
    penalty(part, ({name: replace(part, values=leaves[name]) for name, part in tokens.items()}, present)).backward()
    found = {name: leaf.grad for name, leaf in [*part.named_parameters(), *leaves.items()]}
    return {name: gradient for name, gradient in found.items() if gradient is not None}


def chosen(given: Given, rows: Tensor) -> Given:
    tokens, present = given
    return {name: Tokens(part.values[rows], part.mask[rows]) for name, part in tokens.items()}, {
        name: there[rows] for name, there in present.items()
    }


def by_hand(part: Contrastive, given: Given) -> float:
    """The loss as CLIP's figure 3 has it, one anchor after the other, among the rows that have both modalities."""
    tokens, present = given
    state = {name: value.double().numpy() for name, value in part.state_dict().items()}
    means = []
    for one, other in combinations(sorted(tokens), 2):
        rows = [row for row in range(len(present[one])) if present[one][row] and present[other][row]]
        seen = {}
        for name in (one, other):
            weight = state[f"maps.{sorted(tokens).index(name)}.weight"]
            vectors = [weight @ tokens[name].values[row][tokens[name].mask[row]].double().numpy().mean(0) for row in rows]
            seen[name] = [vector / np.sqrt((vector**2).sum()) for vector in vectors]
        losses = []
        for place in range(len(rows)):
            for anchors, others in ((seen[one], seen[other]), (seen[other], seen[one])):
                similar = np.array([anchors[place] @ candidate * np.exp(state["log_scale"]) for candidate in others])
                losses.append(-np.log(np.exp(similar[place]) / np.exp(similar).sum()))
        if len(rows) > 1:
            means.append(np.mean(losses))
    return float(np.mean(means)) if means else 0.0


@pytest.mark.parametrize("rows", [2, 4, 5, 10])
def test_by_hand(rows: int) -> None:
    """Of four rows, some pairs of modalities have only one in common, which does not count."""
    part, given = build(), draw(rows=rows)
    assert penalty(part, given).item() == pytest.approx(by_hand(part, given), rel=1e-5)
    with torch.no_grad():
        part.log_scale.fill_(0.5)
    assert penalty(part, given).item() == pytest.approx(by_hand(part, given), rel=1e-5)
    assert penalty(build(weight=0.3), given).item() == pytest.approx(0.3 * by_hand(build(), given), rel=1e-5)


def test_the_temperature_begins_and_ends_where_clips_does() -> None:
    """At a scale over 100 it is 100, and a gradient that would lower it still arrives."""
    part, given = build(), draw()
    assert part.log_scale.exp().item() == pytest.approx(1 / 0.07)
    with torch.no_grad():
        part.log_scale.fill_(9.0)
    found = gradients(part, given)
    assert part.log_scale.item() == pytest.approx(math.log(100))
    assert found["log_scale"] > 0  # vectors that are drawn at random match badly: less scale costs less


@pytest.mark.parametrize("filler", [1.0, 1e30, float("inf"), float("-inf"), float("nan")])
def test_what_stands_in_an_absent_place_changes_nothing_to_the_bit(filler: float) -> None:
    tokens, present = draw()
    noise = {name: filler * torch.ones_like(part.values) for name, part in tokens.items()}
    other = {name: replace(part, values=torch.where(part.mask[..., None], part.values, noise[name])) for name, part in tokens.items()}
    assert torch.equal(penalty(build(), (other, present)), penalty(build(), (tokens, present)))
    expected, found = gradients(build(), (tokens, present)), gradients(build(), (other, present))
    assert expected.keys() == found.keys()
    assert [name for name in expected if not torch.equal(expected[name], found[name])] == []


def test_rows_without_both_are_neither_anchors_nor_negatives() -> None:
    """What such a row shows changes nothing to the bit, and the loss is that of the others alone."""
    tokens, present = draw(PAIR)
    both = present["image"] & present["text"]
    alone = (present["image"] & ~both)[:, None, None]
    assert alone.any()
    other = {**tokens, "image": replace(tokens["image"], values=torch.where(alone, 100 * tokens["image"].values, tokens["image"].values))}
    expected, found = gradients(build(PAIR), (tokens, present)), gradients(build(PAIR), (other, present))
    assert torch.equal(penalty(build(PAIR), (other, present)), penalty(build(PAIR), (tokens, present)))
    assert [name for name in expected if not torch.equal(expected[name], found[name])] == []
    assert not found["image"][~both].any()
    assert_close(penalty(build(PAIR), chosen((tokens, present), both)), penalty(build(PAIR), (tokens, present)))


def test_the_order_of_rows_changes_only_rounding() -> None:
    given, order = draw(), torch.randperm(10)
    assert_close(penalty(build(), chosen(given, order)), penalty(build(), given))
    expected, found = gradients(build(), given), gradients(build(), chosen(given, order))
    for name, gradient in expected.items():
        assert_close(found[name], gradient[order] if name in DIMS else gradient)


def test_the_order_of_modalities_changes_nothing() -> None:
    tokens, present = draw()
    turned = dict(reversed(tokens.items())), dict(reversed(present.items()))
    assert torch.equal(penalty(build(dict(reversed(DIMS.items()))), turned), penalty(build(), (tokens, present)))


def test_every_parameter_gets_a_gradient() -> None:
    part = build()
    found = gradients(part, draw())
    assert [name for name in (*dict(part.named_parameters()), *DIMS) if not found[name].any()] == []
    assert all(gradient.isfinite().all() for gradient in found.values())


def test_gradients_are_right() -> None:
    tokens, present = draw(PAIR, rows=5, length=2)
    part = build(PAIR).double()

    def cost(*values: Tensor) -> Tensor:
        return penalty(part, ({name: replace(tokens[name], values=found) for name, found in zip(PAIR, values, strict=True)}, present))

    assert torch.autograd.gradcheck(cost, [tokens[name].values.double().requires_grad_() for name in PAIR])


@pytest.mark.parametrize("rows", [[0], [1], [1, 1], [0, 1]], ids=["one", "one without anything", "nothing", "one and nothing"])
def test_nothing_to_compare_costs_nothing(rows: list[int]) -> None:
    given = chosen(draw(), torch.tensor(rows))
    assert penalty(build(), given) == 0
    assert not any(gradient.any() for gradient in gradients(build(), given).values())


def test_a_modality_that_no_row_has_is_left_out() -> None:
    """The others are compared as if it were not there, and its weights have no gradient, not even 0."""
    tokens, present = draw()
    nothing = Tokens(torch.zeros(10, 0, 4), torch.zeros(10, 0, dtype=torch.bool))
    given = {**tokens, "audio": nothing}, {**present, "audio": torch.zeros(10, dtype=torch.bool)}
    part = build()
    assert penalty(part, given).item() == pytest.approx(by_hand(part, given), rel=1e-5)
    found = gradients(part, given)
    assert "maps.0.weight" not in found
    assert found["maps.1.weight"].any() and found["maps.2.weight"].any()


def test_one_modality_alone_costs_nothing() -> None:
    part, given = build({"image": 5}), draw({"image": 5})
    assert penalty(part, given) == 0
    assert not any(gradient.any() for gradient in gradients(part, given).values())  # and there is a graph to go back through


def test_tokens_of_zeros_have_no_direction() -> None:
    """Something was measured, but it points nowhere: it resembles nothing, and gets no gradient as large as 1 / 0."""
    tokens, present = draw(PAIR)
    tokens["text"] = replace(tokens["text"], values=torch.zeros_like(tokens["text"].values))
    part, found = build(PAIR), gradients(build(PAIR), (tokens, present))
    count = (present["image"] & present["text"]).sum()
    assert_close(penalty(part, (tokens, present)), count.float().log())
    assert all(gradient.isfinite().all() and gradient.abs().max() < 10 for gradient in found.values())


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_under_autocast_it_is_computed_in_float32(dtype: torch.dtype) -> None:
    tokens, present = draw()
    lower = {name: replace(part, values=part.values.to(dtype)) for name, part in tokens.items()}
    rounded = {name: replace(part, values=part.values.float()) for name, part in lower.items()}
    with torch.autocast("cpu", dtype):
        found = penalty(build(), (lower, present))
    assert found.dtype == torch.float32
    assert torch.equal(found, penalty(build(), (rounded, present)))


def test_a_modality_may_have_any_name() -> None:
    dims = {"values": 2, "type": 3, "forward": 2}
    assert penalty(build(dims), draw(dims)).isfinite()


def retrieved(part: Contrastive, encoders: torch.nn.ModuleDict, sides: Mapping[str, Tensor]) -> float:
    """How often the picture that is most like a text is its own."""
    with torch.no_grad():
        found = [
            torch.nn.functional.normalize(part.maps[place](encoders[name](sides[name])), dim=1) for place, name in enumerate(sorted(sides))
        ]
    similar = found[0] @ found[1].T
    return float((similar.argmax(0) == torch.arange(len(similar))).float().mean())


def test_what_belongs_together_becomes_retrievable() -> None:
    """Two modalities show the same six numbers, each turned in its own way: of 64 new rows nearly all find their partner."""
    torch.set_num_threads(1)  # of matrices this small, two are slower
    part = build({"image": 16, "text": 16}, dim=16)
    encoders = torch.nn.ModuleDict({name: torch.nn.Linear(12, 16) for name in ("image", "text")})
    turned = {name: torch.randn(6, 12) for name in encoders}

    def sides() -> dict[str, Tensor]:
        shown = torch.randn(64, 6)
        return {name: shown @ way + 0.05 * torch.randn(64, 12) for name, way in turned.items()}

    there, test = torch.ones(64, 1, dtype=torch.bool), sides()
    before = retrieved(part, encoders, test)
    optimizer = torch.optim.Adam([*part.parameters(), *encoders.parameters()], lr=1e-2)
    for _ in range(60):
        tokens = {name: Tokens(encoders[name](values)[:, None], there) for name, values in sides().items()}
        penalty(part, (tokens, dict.fromkeys(tokens, there[:, 0]))).backward()
        optimizer.step()
        optimizer.zero_grad()
    assert before < 0.2
    assert retrieved(part, encoders, test) > 0.9


def test_a_model_aligns_in_training_alone(tiny: list[str]) -> None:
    """Its encoders learn from it, and its predictions are those of a model without it."""
    config = load([*tiny, "alignment=contrastive", "alignment.weight=0.2"]).config
    parts = data_parts(config)
    data = prepare(parts.source, parts.settings, parts.modalities, parts.tasks, progress=False)
    model, batch = build_model(config, data.modalities, data.tasks), data.splits["train"].batch(np.arange(24))
    output = model.train()(batch)
    assert list(output.penalties) == ["alignment/contrastive"]
    output.penalties["alignment/contrastive"].backward()
    assert all(any(weight.grad is not None for weight in encoder.parameters()) for _, encoder in model.encoder.items())
    assert model.alignment.weight == 0.2
    found = model.eval()(batch)
    assert found.penalties == {}
    model.alignment = Nothing({})
    assert all(torch.equal(found.predictions[task], expected) for task, expected in model(batch).predictions.items())
