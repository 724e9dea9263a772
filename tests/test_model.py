"""Laws of the whole model: what is absent or unlabelled changes nothing, everything else is trained."""

import copy
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from mmtrain.alignment import Nothing
from mmtrain.assembly import build_model, data_parts
from mmtrain.batch import FUSED, Batch
from mmtrain.config import load
from mmtrain.data import Data, prepare
from mmtrain.decision import Auto
from mmtrain.fusion import Late
from mmtrain.fusion.hybrid import Hybrid
from mmtrain.model import Model, Named
from mmtrain.objective import Rows, scored_rows, total, view_losses, view_weights
from mmtrain.sharing import Shared

FUSIONS = ("concat", "sum", "weighted")


@pytest.fixture(scope="module")
def data(tiny: list[str]) -> Data:
    parts = data_parts(load(tiny).config)
    return prepare(parts.source, parts.settings, parts.modalities, parts.tasks, progress=False)


@pytest.fixture(scope="module", params=[*FUSIONS, "concat sharing=dselect_k"])
def model(request: pytest.FixtureRequest, tiny: list[str], data: Data) -> Model:
    torch.manual_seed(0)
    return build_model(load([*tiny, *f"model=fusion_{request.param}".split()]).config, data.modalities, data.tasks).eval()


@pytest.fixture(scope="module")
def batch(data: Data) -> Batch:
    """Rows with everything, rows with gaps, and one row without any modality."""
    train = data.splits["train"]
    present = torch.stack([torch.from_numpy(store.present[train.positions]) for store in train.stores.values()])
    whole, gaps, nothing = present.all(0), present.any(0) & ~present.all(0), ~present.any(0)
    rows = [mask.nonzero()[:count, 0] for mask, count in ((whole, 5), (gaps, 8), (nothing, 1))]
    assert [len(found) for found in rows] == [5, 8, 1]
    return train.batch(torch.cat(rows).numpy())


def losses_of(model: Model, batch: Batch, rows: Rows | None = None) -> dict[str, Tensor]:
    """What each task adds to the sum that is minimised; `rows` count the scored rows of the whole step."""
    rows = rows or scored_rows([batch])
    found = view_losses(model, model(batch), batch, rows)
    return {task: total(views, view_weights(rows[task], model.auxiliary)) for task, views in found.items()}


def gradients(model: Model, batch: Batch) -> dict[str, Tensor]:
    model = copy.deepcopy(model)
    losses = losses_of(model, batch)
    torch.stack(list(losses.values())).sum().backward()
    return {name: parameter.grad for name, parameter in model.named_parameters() if parameter.grad is not None}


def assert_bit_equal(found: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert torch.equal(found[name], value), name


def fill(inputs: Any, absent: Tensor, filler: Callable[[Tensor], Tensor]) -> Any:
    """The same input with something else in the absent rows; masks say that it is there."""
    changed = {part.name: getattr(inputs, part.name).clone() for part in fields(inputs)}
    for name, tensor in changed.items():
        tensor[absent] = True if tensor.dtype == torch.bool else filler(tensor[absent])
        changed[name] = tensor
    return replace(inputs, **changed)


@pytest.mark.parametrize("filler", [torch.zeros_like, torch.ones_like, lambda cells: torch.full_like(cells, 100)])
def test_what_stands_in_an_absent_cell_changes_nothing_to_the_bit(model: Model, batch: Batch, filler: Callable[[Tensor], Tensor]) -> None:
    inputs = {name: fill(inputs, ~batch.present[name], filler) for name, inputs in batch.inputs.items()}
    other = replace(batch, inputs=inputs)
    assert_bit_equal(dict(model(other).predictions), dict(model(batch).predictions))
    assert_bit_equal(gradients(model, other), gradients(model, batch))


@pytest.mark.parametrize("content", [float("nan"), float("inf"), 7])
def test_what_stands_in_an_unlabelled_target_changes_nothing_to_the_bit(model: Model, batch: Batch, content: float) -> None:
    targets = {}
    for task, target in batch.targets.items():
        filler = content if target.is_floating_point() or content == 7 else -1
        targets[task] = torch.where(batch.labelled[task], target, torch.full_like(target, filler))
    assert any((targets[task] != batch.targets[task]).any() for task in targets)
    assert_bit_equal(gradients(model, replace(batch, targets=targets)), gradients(model, batch))


def test_a_row_without_any_modality_gets_the_prior_and_enters_no_loss(model: Model, batch: Batch, data: Data) -> None:
    last = len(batch) - 1
    output = model(batch)
    for name, task in data.tasks.items():
        assert torch.equal(output.predictions[name][last], task.prior())
        assert last not in batch.scored[name][FUSED]


def test_other_rows_change_nothing_but_rounding(model: Model, batch: Batch, data: Data) -> None:
    whole = model(batch).predictions
    for row in (0, 6, len(batch) - 1):
        alone = model(data.splits["train"].batch(batch.rows[row : row + 1].numpy())).predictions
        for task, prediction in alone.items():
            torch.testing.assert_close(prediction[0], whole[task][row], rtol=1e-5, atol=1e-5)


def test_every_parameter_is_trained(model: Model, batch: Batch) -> None:
    trained = gradients(model, batch)
    assert trained.keys() == {name for name, _ in model.named_parameters()}
    assert all(gradient.isfinite().all() for gradient in trained.values())


def test_a_batch_of_one_trains(model: Model, data: Data) -> None:
    model = copy.deepcopy(model).train()
    batch = data.splits["train"].batch(torch.tensor([0]).numpy())
    losses = losses_of(model, batch)
    assert losses and all(loss.isfinite() for loss in losses.values())


def test_saved_and_loaded_models_are_equal(model: Model, batch: Batch) -> None:
    other = copy.deepcopy(model)
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.add_(1)
    other.load_state_dict(model.state_dict())
    assert_bit_equal(dict(other(batch).predictions), dict(model(batch).predictions))


def test_losses_of_parts_of_a_batch_add_up_to_the_mean(model: Model, batch: Batch, data: Data) -> None:
    train, rows = data.splits["train"], batch.rows.numpy()
    counts = scored_rows([batch])
    whole = losses_of(model, batch, counts)
    parts = [train.batch(rows[:4]), train.batch(rows[4:])]
    halves = [losses_of(model, part, counts) for part in parts]
    for task, loss in whole.items():
        total = torch.stack([half[task] for half in halves if task in half]).sum()
        torch.testing.assert_close(total, loss, rtol=1e-5, atol=1e-6)


@pytest.fixture(params=[False, True], ids=["late", "hybrid"])
def views(request: pytest.FixtureRequest, model: Model, data: Data) -> Model:
    """The model with one view a modality, and in the second case with a fused view beside them."""
    torch.manual_seed(0)
    widths = {name: encoder.out_dim for name, encoder in model.encoder.items()}
    fusion: nn.Module = Late(widths, out_dim=model.fusion.out_dim)
    fusion = Hybrid(copy.deepcopy(model.fusion), fusion) if request.param else fusion
    parts: Any = (
        data.modalities,
        {},
        dict(model.encoder.items()),
        model.mixing,
        model.missing,
        fusion,
        Shared,
        data.tasks,
        Auto,
        Nothing({}),
    )
    return Model(*parts, auxiliary=0.3).eval()


def test_auxiliary_losses_are_means_over_the_rows_of_their_view(views: Model, data: Data, batch: Batch) -> None:
    output, counts = views(batch), scored_rows([batch])
    found = losses_of(views, batch, counts)["shape"]
    views.auxiliary = 0.0
    plain = losses_of(views, batch, counts)["shape"]
    means = []
    for view in data.modalities:
        rows = torch.tensor([row for row in batch.scored["shape"][FUSED].tolist() if batch.present[view][row]])
        means.append(functional.cross_entropy(output.views["shape"][view][rows], batch.targets["shape"][rows]))
    torch.testing.assert_close(found, plain + 0.3 * torch.stack(means).mean())


def test_auxiliary_losses_of_parts_of_a_batch_add_up_too(views: Model, data: Data, batch: Batch) -> None:
    train, rows = data.splits["train"], batch.rows.numpy()
    counts = scored_rows([batch])
    whole = losses_of(views, batch, counts)
    parts = [train.batch(part) for part in (rows[:3], rows[3:4], rows[4:])]
    found = [losses_of(views, part, counts) for part in parts]
    for task, loss in whole.items():
        torch.testing.assert_close(torch.stack([part[task] for part in found if task in part]).sum(), loss, rtol=1e-5, atol=1e-5)


def test_the_fused_view_decides_where_there_is_one_else_the_mean(views: Model, data: Data, batch: Batch) -> None:
    output = views(batch)
    for row in range(len(batch) - 1):  # the last one has no modality
        shown = [output.views["shape"][view][row] for view in data.modalities if batch.present[view][row]]
        expected = output.views["shape"][FUSED][row] if FUSED in output.views["shape"] else torch.stack(shown).mean(0)
        torch.testing.assert_close(output.predictions["shape"][row], expected)


def test_a_gate_costs_the_mean_over_the_rows_that_its_view_speaks_for(tiny: list[str], data: Data, batch: Batch) -> None:
    model = build_model(load([*tiny, "sharing=dselect_k"]).config, data.modalities, data.tasks).eval()
    output, rows = model(batch), torch.stack(list(batch.present.values())).any(0)
    assert 0 < int(rows.sum()) < len(rows)
    for task in data.tasks:
        expected = output.gates[task, FUSED].penalties["entropy"][rows].mean()
        torch.testing.assert_close(output.penalties[f"sharing/fused/{task}/entropy"], expected)
    nobody = {name: torch.zeros_like(there) for name, there in batch.present.items()}
    assert model.answer(output.tokens, nobody).penalties[f"sharing/fused/{next(iter(data.tasks))}/entropy"] == 0


def test_any_name_will_do_for_a_part() -> None:
    parts = Named({"type": nn.Linear(1, 1), "values": nn.Linear(1, 1), "forward": nn.Linear(1, 1)})
    assert list(parts) == ["type", "values", "forward"]
    assert sorted(parts.state_dict()) == sorted(f"{name}.{kind}" for name in parts for kind in ("weight", "bias"))
