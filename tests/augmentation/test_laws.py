"""What every augmentation promises."""

from dataclasses import fields
from typing import Any

import pytest
import torch
from torch import Tensor

from mmtrain.batch import take

Case = Any  # of conftest.py: how to build an augmentation, and rows for it


def parts(inputs: Any) -> dict[str, Tensor]:
    return {part.name: getattr(inputs, part.name) for part in fields(inputs)}


def assert_same(found: Any, expected: Any) -> None:
    assert type(found) is type(expected)
    for name, tensor in parts(expected).items():
        assert torch.equal(parts(found)[name], tensor), name


def drawn(case: Case, inputs: Any, seed: int = 0, **options: Any) -> Any:
    torch.manual_seed(seed)
    return case.build(**options)(inputs)


def test_kind_shape_and_type_are_kept(case: Case) -> None:
    found, given = drawn(case, case.rows()), case.rows()
    assert type(found) is type(given)
    for name, tensor in parts(given).items():
        assert (parts(found)[name].shape, parts(found)[name].dtype) == (tensor.shape, tensor.dtype), name
        assert parts(found)[name].isfinite().all()


def test_there_is_nothing_to_train_or_to_save(case: Case) -> None:
    assert not list(case.build().parameters())
    assert not case.build().state_dict()


def test_rows_are_drawn_one_by_one(case: Case) -> None:
    """Sixty times the same row: hardly two come out alike."""
    same = take(case.rows(), torch.zeros(60, dtype=torch.int64))
    found = parts(drawn(case, same))
    rows = {tuple(torch.cat([tensor[row].flatten().double() for tensor in found.values()]).tolist()) for row in range(60)}
    assert len(rows) > 30


def test_the_same_seed_draws_the_same(case: Case) -> None:
    assert_same(drawn(case, case.rows()), drawn(case, case.rows()))
    first, second = (parts(drawn(case, case.rows(), seed)) for seed in (0, 1))
    assert any(not torch.equal(first[name], second[name]) for name in first)


def test_all_off_changes_nothing_to_the_bit(case: Case) -> None:
    if case.off is not None:
        assert_same(drawn(case, case.rows(), **case.off), case.rows())


@pytest.mark.parametrize("noise", [float("nan"), float("inf"), 7.0])
def test_what_should_not_be_read_changes_nothing(case: Case, noise: float) -> None:
    assert_same(drawn(case, case.rows(noise)), drawn(case, case.rows()))


def test_the_rows_that_came_in_stay_as_they_were(case: Case) -> None:
    given = case.rows()
    drawn(case, given)
    assert_same(given, case.rows())


def test_a_batch_of_one(case: Case) -> None:
    for row in range(4):
        found = parts(drawn(case, take(case.rows(), torch.tensor([row]))))
        assert {len(tensor) for tensor in found.values()} == {1}


def test_a_row_that_has_something_keeps_something(case: Case) -> None:
    given = take(case.rows(), torch.full((200,), 1))
    found = drawn(case, given)
    if hasattr(given, "mask"):
        assert found.mask.any(1).all()
        assert (found.mask.sum(1) <= given.mask.sum(1)).all()
