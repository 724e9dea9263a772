"""What every policy promises, for each choice in `configs/missing`: a new one is tested by being there."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from mmtrain.batch import Tokens
from mmtrain.missing import Drop, Impute, Mask, Mean

Given = tuple[dict[str, Tokens], dict[str, Tensor]]
Build = Callable[..., Any]
Draw = Callable[..., Given]

DIMS = {"image": 5, "text": 3, "audio": 4}
each_mode = pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])


def called(part: Any, given: Given, *, training: bool = False) -> Given:
    """From the same random state each time."""
    torch.manual_seed(1)
    tokens, present, _ = part.train(training)(*given)
    return tokens, present


def seen(given: Any) -> list[Tensor]:
    """All that a fusion may look at: masks, presence, and tokens where the mask is true."""
    tokens, present, *_ = given
    values = [torch.where(part.mask[..., None], part.values, 0.0) for part in tokens.values()]
    return [*values, *(part.mask for part in tokens.values()), *present.values()]


def total(given: Given) -> Tensor:
    """A loss that weighs every number of every token differently, and the penalties."""
    parts = [values * torch.linspace(-1, 1, values.numel()).reshape(values.shape) for values in seen(given) if values.is_floating_point()]
    penalties = [penalty for part in given[0].values() for penalty in part.penalties.values()]
    return torch.stack([part.sum() for part in parts] + penalties).sum()


def gradients(part: Any, given: Given) -> dict[str, Tensor]:
    tokens, present = given
    leaves = {name: found.values.clone().requires_grad_() for name, found in tokens.items()}
    found = called(part, ({name: replace(tokens[name], values=leaf) for name, leaf in leaves.items()}, present), training=True)
    total(found).backward()
    return {name: leaf.grad for name, leaf in [*part.named_parameters(), *leaves.items()] if leaf.grad is not None}


def assert_bit_equal(found: list[Tensor], expected: list[Tensor]) -> None:
    assert len(found) == len(expected)
    assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))


def filled(given: Given, filler: float) -> Given:
    """The same rows with something else where nothing is."""
    tokens, present = given
    return {
        name: replace(part, values=torch.where(part.mask[..., None], part.values, filler * torch.rand_like(part.values)))
        for name, part in tokens.items()
    }, present


def without(given: Given, *names: str) -> Given:
    """The same rows in a batch where none has these modalities."""
    tokens, present = dict(given[0]), dict(given[1])
    for name in names:
        rows, _, dim = tokens[name].values.shape
        tokens[name] = Tokens(torch.zeros(rows, 0, dim), torch.zeros(rows, 0, dtype=torch.bool))
        present[name] = torch.zeros(rows, dtype=torch.bool)
    return tokens, present


def one_row(given: Given, row: int) -> Given:
    tokens, present = given
    kept = slice(row, row + 1)
    return (
        {name: replace(part, values=part.values[kept], mask=part.mask[kept]) for name, part in tokens.items()},
        {name: there[kept] for name, there in present.items()},
    )


@pytest.mark.parametrize("filler", [1.0, 1e30, float("inf"), float("-inf"), float("nan")])
@each_mode
def test_what_stands_in_an_absent_place_changes_nothing(build: Build, draw: Draw, filler: float, training: bool) -> None:
    given, options = draw(DIMS), {"dropout": 0.3}
    part, other = build(DIMS, **options), build(DIMS, **options)
    assert_bit_equal(seen(called(other, filled(given, filler), training=training)), seen(called(part, given, training=training)))
    assert_bit_equal(list(other.state_dict().values()), list(part.state_dict().values()))
    expected, found = gradients(part, given), gradients(other, filled(given, filler))
    assert expected.keys() == found.keys()
    assert [name for name in expected if not torch.equal(expected[name], found[name])] == []


@each_mode
def test_real_tokens_stay_as_they_are(build: Build, draw: Draw, training: bool) -> None:
    tokens, present = draw(DIMS)
    found, _ = called(build(DIMS), (tokens, present), training=training)
    whole = torch.stack(list(present.values())).all(0)
    for name, part in tokens.items():
        rows = whole if isinstance(build(DIMS), Drop) else present[name]
        assert torch.equal(found[name].values[rows][part.mask[rows]], part.values[rows][part.mask[rows]])
        assert torch.equal(found[name].mask[rows], part.mask[rows])


@each_mode
def test_presence_is_true_where_something_can_be_read(build: Build, draw: Draw, training: bool) -> None:
    """True for a stand-in, in all rows that have anything; false with the mask; a row without any modality has none anywhere."""
    given = draw(DIMS)
    tokens, present = called(part := build(DIMS), given, training=training)
    anyone, whole = torch.stack(list(given[1].values())).any(0), torch.stack(list(given[1].values())).all(0)
    assert list(tokens) == list(present) == list(DIMS)
    for name, there in present.items():
        expected = given[1][name] if isinstance(part, Mask) else whole if isinstance(part, Drop) else anyone
        assert torch.equal(there, expected)
        assert torch.equal(tokens[name].mask.any(1), expected)
        assert not there[1]
        assert torch.all(tokens[name].values[~tokens[name].mask] == 0)
        assert tokens[name].grid == given[0][name].grid


@each_mode
def test_a_modality_that_no_row_of_the_batch_has(build: Build, draw: Draw, training: bool) -> None:
    given = without(draw(DIMS), "audio")
    part = build(DIMS)
    tokens, present = called(part, given, training=training)
    length = 0 if isinstance(part, Mask | Drop) else 1
    assert tokens["audio"].values.shape == (8, length, 4)
    assert all(values.isfinite().all() for values in seen((tokens, present)))
    assert present["audio"].any() == bool(length)
    assert all(gradient.isfinite().all() for gradient in gradients(part, given).values())


@each_mode
def test_rows_without_any_modality(build: Build, draw: Draw, training: bool) -> None:
    tokens, present = called(build(DIMS, dropout=0.5), without(draw(DIMS), *DIMS), training=training)
    assert not any(there.any() for there in present.values())
    assert not any(part.mask.any() for part in tokens.values())


def test_what_is_real(build: Build, draw: Draw) -> None:
    """Neither a stand-in nor what dropout took: no view of such a modality may speak for the row."""
    tokens, present = draw(DIMS)
    part = build(DIMS, dropout=0.5)
    *_, real = part.eval()(tokens, present)
    whole = torch.stack(list(present.values())).all(0)
    assert_bit_equal([*real.values()], [whole if isinstance(part, Drop) else there for there in present.values()])
    *_, real = part.train()(tokens, {name: torch.ones_like(there) for name, there in present.items()})
    left = torch.stack(list(real.values()))
    assert left.any(0).all() and not left.all()


@each_mode
def test_a_single_modality(build: Build, draw: Draw, training: bool) -> None:
    """There is nothing to take away, and nothing to predict it from."""
    given = draw({"image": 5})
    assert_bit_equal(seen(called(build({"image": 5}, dropout=0.9), given, training=training)), seen(given))


def test_gradients_reach_every_parameter(build: Build, draw: Draw) -> None:
    part, given = build(DIMS), draw(DIMS)
    found = gradients(part, given)
    for name, _ in part.named_parameters():
        assert torch.any(found[name] != 0), name
    for name, tokens in given[0].items():
        assert torch.all(found[name][~tokens.mask] == 0)
        assert torch.any(found[name][tokens.mask] != 0)


def test_evaluation_is_deterministic_and_drops_nothing(build: Build, draw: Draw) -> None:
    given = draw(DIMS)
    part, plain = build(DIMS, dropout=0.9).eval(), build(DIMS).eval()
    state = torch.get_rng_state()
    first = seen(part(*given))
    assert torch.equal(torch.get_rng_state(), state)
    assert_bit_equal(seen(part(*given)), first)
    assert_bit_equal(seen(plain(*given)), first)
    assert all(not found.penalties for found in part(*given)[0].values())


def test_other_rows_change_only_rounding(build: Build, draw: Draw) -> None:
    given = draw(DIMS)
    part = build(DIMS)
    called(part, given, training=True)  # so that a mean is known
    together, there = called(part, given)
    for row in range(8):
        tokens, present = called(part, one_row(given, row))
        for name, found in tokens.items():
            assert_close(found.values[0], together[name].values[row], rtol=1e-6, atol=1e-6)
            assert torch.equal(found.mask[0], together[name].mask[row])
            assert present[name][0] == there[name][row]


def test_a_batch_of_one(build: Build, draw: Draw) -> None:
    part = build(DIMS, dropout=0.5)
    for row in range(3):
        assert total(called(part, one_row(draw(DIMS), row), training=True)).isfinite()


def test_save_and_load_are_equal(build: Build, draw: Draw) -> None:
    given = draw(DIMS)
    part = build(DIMS)
    called(part, given, training=True)
    torch.manual_seed(5)
    other = type(part)(DIMS)
    other.load_state_dict(part.state_dict())
    assert_bit_equal(seen(called(other, given)), seen(called(part, given)))
    stateful = any(True for _ in part.parameters()) or isinstance(part, Mean)
    assert bool(part.state_dict()) == stateful


def test_the_order_of_modalities_changes_nothing(build: Build, draw: Draw) -> None:
    """Neither where the part is built, nor where it is called, dropout included."""
    tokens, present = draw(DIMS)
    turned = tuple({name: found[name] for name in reversed(DIMS)} for found in (tokens, present))
    expected = called(build(DIMS, dropout=0.4), (tokens, present), training=True)
    found: Any = called(build(dict(reversed(DIMS.items())), dropout=0.4), turned, training=True)  # type: ignore[arg-type]
    for name in DIMS:
        assert_close(found[0][name].values, expected[0][name].values)
        assert torch.equal(found[1][name], expected[1][name])


def test_a_modality_may_have_any_name(build: Build, draw: Draw) -> None:
    """Also one that modules or dictionaries use themselves."""
    dims = {"values": 2, "type": 3, "train": 2, "forward": 2}
    assert total(called(build(dims), draw(dims), training=True)).isfinite()


def test_lower_precision(build: Build, draw: Draw) -> None:
    """Under autocast an encoder gives bfloat16, while a modality that no row has comes in float32."""
    given = without(draw(DIMS), "audio")
    lower = {name: replace(part, values=part.values.bfloat16() if part.values.numel() else part.values) for name, part in given[0].items()}
    part = build(DIMS)
    with torch.autocast("cpu", torch.bfloat16):
        found = called(part, (lower, given[1]), training=True)
    for name, tokens in found[0].items():
        assert tokens.values.dtype == lower[name].values.dtype
        assert all(penalty.dtype == torch.float32 for penalty in tokens.penalties.values())
    for one, other in zip(seen(found), seen(called(build(DIMS), given, training=True)), strict=True):
        assert_close(one.float(), other.float(), atol=0.05, rtol=0)


def test_other_penalties_are_kept(build: Build, draw: Draw) -> None:
    tokens, present = draw(DIMS)
    tokens = {name: replace(part, penalties={"load": torch.tensor(2.0)}) for name, part in tokens.items()}
    for training in (True, False):
        found, _ = called(part := build(DIMS, dropout=0.3), (tokens, present), training=training)
        assert all(penalised.penalties["load"] == 2 for penalised in found.values())
        own = {"reconstruction"} if training and isinstance(part, Impute) else set()
        assert all(set(penalised.penalties) == {"load"} | own for penalised in found.values())
