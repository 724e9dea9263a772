"""What every fusion promises, for each choice in `configs/fusion`: a new one is tested by being there."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from safetensors.torch import load, save
from torch import Tensor, nn
from torch.testing import assert_close

from mmtrain.batch import FUSED, Tokens

Given = tuple[dict[str, Tokens], dict[str, Tensor]]
Build = Any  # of conftest.py: builds a choice; `modalities` says how many it joins
Draw = Callable[..., Given]

Dims = dict[str, int]
PAIR = {"image": 9, "text": 3}


def outputs(fusion: nn.Module, given: Given) -> Tensor:
    """The vectors of all views, whom they speak for and what they cost, side by side; from the same random state each time.

    A cost is a mean over the rows of a batch.
    """
    torch.manual_seed(1)
    views = fusion(*given)
    costs = [cost.expand(len(view.vector), 1) for view in views.values() for cost in view.penalties.values()]
    return torch.cat([*(part for view in views.values() for part in (view.vector, view.present[:, None])), *costs], 1)


def gradients(fusion: nn.Module, given: Given) -> dict[str, Tensor]:
    """The gradients of all parameters and token values for a loss that weighs every output of every row differently."""
    torch.manual_seed(1)
    tokens, present = given
    leaves = {name: part.values.clone().requires_grad_() for name, part in tokens.items()}
    views = fusion({name: replace(part, values=leaves[name]) for name, part in tokens.items()}, present)
    for view in views.values():
        factors = torch.linspace(-1, 1, view.vector.numel()).reshape(view.vector.shape)
        loss = (factors * view.vector)[view.present].sum()
        torch.stack([loss, *view.penalties.values()]).sum().backward(retain_graph=True)
    found = {name: leaf.grad for name, leaf in [*fusion.named_parameters(), *leaves.items()]}
    return {name: gradient for name, gradient in found.items() if gradient is not None}


def filled(given: Given, filler: float) -> Given:
    """The same rows with something else where nothing is: in absent modalities and in padding."""
    tokens, present = given
    noise = {name: filler * torch.rand_like(part.values) for name, part in tokens.items()}
    return {
        name: replace(part, values=torch.where(part.mask[..., None], part.values, noise[name])) for name, part in tokens.items()
    }, present


def one_row(given: Given, row: int) -> Given:
    """A row alone, with no more padding than it needs."""
    tokens, present = given
    lengths = {name: int(part.mask[row].sum()) for name, part in tokens.items()}
    kept = {name: (slice(row, row + 1), slice(lengths[name])) for name in tokens}
    return (
        {name: Tokens(part.values[kept[name]], part.mask[kept[name]]) for name, part in tokens.items()},
        {name: there[row : row + 1] for name, there in present.items()},
    )


def without(given: Given, name: str) -> Given:
    """The same rows in a batch where none has that modality."""
    tokens, present = given
    rows, _, dim = tokens[name].values.shape
    nothing = Tokens(torch.zeros(rows, 0, dim), torch.zeros(rows, 0, dtype=torch.bool))
    return {**tokens, name: nothing}, {**present, name: torch.zeros(rows, dtype=torch.bool)}


@pytest.mark.parametrize("filler", [1.0, 1e30, float("inf"), float("-inf"), float("nan")])
def test_what_stands_in_an_absent_place_changes_nothing(build: Build, draw: Draw, dims: Dims, filler: float) -> None:
    given = draw(dims)
    assert torch.equal(outputs(build(dims), filled(given, filler)), outputs(build(dims), given))
    expected, found = gradients(build(dims), given), gradients(build(dims), filled(given, filler))
    assert expected.keys() == found.keys()
    assert [name for name in expected if not torch.equal(expected[name], found[name])] == []


def test_absent_places_get_no_gradient(build: Build, draw: Draw, dims: Dims) -> None:
    given = draw(dims)
    found = gradients(build(dims), given)
    for name, part in given[0].items():
        assert torch.all(found[name][~part.mask] == 0)
        assert torch.any(found[name][part.mask] != 0)


def test_other_rows_and_padding_change_only_rounding(build: Build, draw: Draw, dims: Dims) -> None:
    fusion, given = build(dims).eval(), draw(dims, rows=8)  # what is drawn at random while training is a row's own
    together = outputs(fusion, given)
    own = sum(view.vector.shape[1] + 1 for view in fusion(*given).values())
    for row, expected in enumerate(together[:, :own]):
        assert (outputs(fusion, one_row(given, row))[0, :own] - expected).norm() <= 1e-6 * expected.norm()


def test_a_view_speaks_for_the_rows_that_have_what_it_sees(build: Build, draw: Draw, dims: Dims) -> None:
    """A view with the name of a modality hands on its tokens alone, and says exactly nothing of the rows that lack it."""
    tokens, present = draw(dims)
    fusion = build(dims)
    views = fusion(tokens, present)
    assert list(views) == fusion.views
    for name, view in views.items():
        single = name in present
        assert torch.equal(view.present, present[name] if single else torch.stack(list(present.values())).any(0))
        assert view.tokens == ({name: tokens[name]} if single else tokens)
        assert not (single and view.vector[~view.present].any())


def test_a_view_sees_its_own_modality_or_all(build: Build, draw: Draw, dims: Dims) -> None:
    """Another modality's tokens, or its absence, change nothing of a single modality's view to the bit, and everything of the fused one."""
    tokens, present = draw(dims)
    fusion = build(dims).eval()  # nothing is drawn at random
    before = fusion(tokens, present)
    for changed in dims:
        other = {**tokens, changed: replace(tokens[changed], values=-tokens[changed].values)}
        for after in (fusion(other, present), fusion(*without((tokens, present), changed))):
            touched = {name for name in before if not torch.equal(before[name].vector, after[name].vector)}
            assert touched == {name for name in before if name in (changed, FUSED)}


def test_an_absent_modality_is_not_a_zero_one(build: Build, draw: Draw) -> None:
    """Tokens of zeros are something that was measured."""
    tokens, present = draw(PAIR)
    tokens["text"] = Tokens(torch.zeros(6, 4, 3), torch.ones(6, 4, dtype=torch.bool))
    fusion = build(PAIR)
    zero, absent = (outputs(fusion, (tokens, {**present, "text": torch.full((6,), there)})) for there in (True, False))
    assert torch.all((zero - absent).abs().sum(1) > 1e-2)


def test_a_modality_that_no_row_of_the_batch_has(build: Build, draw: Draw, dims: Dims) -> None:
    given = without(draw(dims), list(dims)[-1])
    assert outputs(build(dims), given).isfinite().all()
    assert all(gradient.isfinite().all() for gradient in gradients(build(dims), given).values())


def test_rows_without_any_modality(build: Build, draw: Draw, dims: Dims) -> None:
    given = draw(dims)
    for name in dims:
        given = without(given, name)
    assert outputs(build(dims), given).isfinite().all()
    assert not any(view.present.any() for view in build(dims)(*given).values())


def test_every_parameter_is_registered_and_learns(build: Build, draw: Draw, dims: Dims) -> None:
    fusion = build(dims)
    found = gradients(fusion, draw(dims))
    names = [name for name, _ in fusion.named_parameters()]
    assert names
    assert [name for name in names if name not in found or not found[name].any()] == []
    assert set(names) <= set(fusion.state_dict())


def test_everything_moves_with_the_module(build: Build, draw: Draw, dims: Dims) -> None:
    """A tensor kept in a plain list would keep its type, and give it away in the result."""
    fusion = build(dims).to(torch.float64)
    assert {tensor.dtype for tensor in [*fusion.parameters(), *fusion.buffers()]} == {torch.float64}
    assert outputs(fusion, draw(dims, dtype=torch.float64)).dtype == torch.float64


def test_a_batch_of_one_and_a_width_of_one(build: Build, draw: Draw, dims: Dims) -> None:
    fusion = build(dims, out_dim=1)
    given = draw(dims, rows=1, length=1)
    assert fusion.out_dim == 1
    assert {view.vector.shape for view in fusion(*given).values()} == {(1, 1)}
    assert all(gradient.isfinite().all() for gradient in gradients(fusion, given).values())


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_one_to_four_modalities(build: Build, draw: Draw, count: int) -> None:
    if build.modalities not in (None, count):
        pytest.skip(f"joins {build.modalities} modalities")
    dims = dict(list({"image": 9, "text": 12, "audio": 2, "facts": 4}.items())[:count])
    views = build(dims, out_dim=7)(*draw(dims))
    assert {view.vector.shape for view in views.values()} == {(6, 7)}


def test_save_and_load_are_equal(build: Build, draw: Draw, dims: Dims) -> None:
    """Through the format of checkpoints, which refuses tensors that share memory."""
    given = draw(dims)
    first, second = build(dims, seed=0), build(dims, seed=1)
    assert not torch.equal(outputs(first, given), outputs(second, given))
    second.load_state_dict(load(save(first.state_dict())))
    assert torch.equal(outputs(first, given), outputs(second, given))


def test_the_order_of_modalities_changes_nothing(build: Build, draw: Draw, dims: Dims) -> None:
    """Neither where the part is built, from the same seed, nor where it is called."""
    tokens, present = draw(dims)
    turned = dict(reversed(dims.items()))
    given = {name: tokens[name] for name in turned}, {name: present[name] for name in turned}
    assert torch.equal(outputs(build(dims), (tokens, present)), outputs(build(turned), given))


def test_a_modality_may_have_any_name(build: Build, draw: Draw) -> None:
    """Also one that modules or dictionaries use themselves."""
    dims = dict(list({"values": 2, "type": 3, "train": 2, "forward": 2}.items())[: build.modalities])
    assert outputs(build(dims), draw(dims)).isfinite().all()


def test_gradients_are_right(build: Build, draw: Draw) -> None:
    """Those of tokens; in rows with both modalities, with neither and with one."""
    fusion = build(PAIR, out_dim=2).to(torch.float64)
    tokens, present = draw(PAIR, rows=3, length=2, dtype=torch.float64)

    def vectors(*values: Tensor) -> Tensor:
        return outputs(fusion, ({name: replace(tokens[name], values=part) for name, part in zip(tokens, values, strict=True)}, present))

    assert torch.autograd.gradcheck(vectors, [part.values.requires_grad_() for part in tokens.values()], fast_mode=True)


def test_lower_precision_is_close(build: Build, draw: Draw, dims: Dims) -> None:
    """Under autocast an encoder gives bfloat16, while a modality that no row has comes in float32."""
    given = without(draw(dims), list(dims)[-1])
    lower = {name: replace(part, values=part.values.bfloat16() if part.values.numel() else part.values) for name, part in given[0].items()}
    fusion = build(dims)
    with torch.autocast("cpu", torch.bfloat16):
        found = outputs(fusion, (lower, given[1]))
    assert_close(found.float(), outputs(fusion, given), atol=0.03, rtol=0)
