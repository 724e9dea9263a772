"""The decision against hand-worked numbers."""

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from mmtrain.decision import Auto
from mmtrain.spec import TaskSpec

YES, NO = True, False
PRIOR = torch.tensor([5.0, 6.0])


def decide(predictions: dict[str, Tensor], present: dict[str, Tensor], prior: Tensor) -> Tensor:
    decided: Tensor = Auto(list(predictions), TaskSpec(1, gaussian=False))(predictions, present, prior)
    return decided


def test_the_fused_view_decides() -> None:
    """Also where single-modality views stand beside it; a row that it cannot speak for gets the prior."""
    predictions = {"image": torch.full((2, 2), 9.0), "fused": torch.tensor([[1.0, 2.0], [3.0, 4.0]])}
    present = {"image": torch.tensor([YES, YES]), "fused": torch.tensor([YES, NO])}
    assert_close(decide(predictions, present, PRIOR), torch.tensor([[1.0, 2.0], [5.0, 6.0]]))


def test_without_it_the_present_views_are_averaged() -> None:
    predictions = {
        "image": torch.tensor([[1.0, 2.0], [3.0, 4.0], [7.0, 7.0], [7.0, 7.0]]),
        "text": torch.tensor([[2.0, 8.0], [9.0, 9.0], [0.5, 1.5], [7.0, 7.0]]),
    }
    present = {"image": torch.tensor([YES, YES, NO, NO]), "text": torch.tensor([YES, NO, YES, NO])}
    expected = torch.tensor([[1.5, 5.0], [3.0, 4.0], [0.5, 1.5], [5.0, 6.0]])
    assert_close(decide(predictions, present, PRIOR), expected)


def test_numbers_have_no_second_dimension() -> None:
    predictions = {"image": torch.tensor([1.0, 2.0, 3.0]), "text": torch.tensor([3.0, 5.0, 7.0])}
    present = {"image": torch.tensor([YES, YES, NO]), "text": torch.tensor([YES, NO, NO])}
    assert_close(decide(predictions, present, torch.tensor(-1.0)), torch.tensor([2.0, 2.0, -1.0]))


@pytest.mark.parametrize("filler", [torch.nan, torch.inf, -torch.inf, 1e30])
@pytest.mark.parametrize("views", [["fused"], ["image", "text"]])
def test_what_an_absent_view_says_changes_nothing(filler: float, views: list[str]) -> None:
    present = {view: torch.tensor([YES, NO, place == 0]) for place, view in enumerate(views)}
    kept = {view: torch.randn(3, 2) for view in views}

    def answered(garbage: float) -> tuple[Tensor, list[Tensor]]:
        leaves = {view: torch.where(present[view][:, None], values, garbage).requires_grad_() for view, values in kept.items()}
        decided = decide(leaves, present, PRIOR)
        return decided, list(torch.autograd.grad(decided.square().sum(), list(leaves.values())))

    (expected, slopes), (found, other_slopes) = answered(0.0), answered(filler)
    assert torch.equal(found, expected)
    assert all(torch.equal(first, second) for first, second in zip(slopes, other_slopes, strict=True))


def test_rows_are_decided_alone() -> None:
    predictions = {"image": torch.randn(4, 3), "text": torch.randn(4, 3)}
    present = {"image": torch.tensor([YES, NO, YES, NO]), "text": torch.tensor([YES, YES, NO, NO])}
    prior = torch.zeros(3)
    together = decide(predictions, present, prior)
    alone = [decide({v: p[[i]] for v, p in predictions.items()}, {v: p[[i]] for v, p in present.items()}, prior) for i in range(4)]
    assert torch.equal(torch.cat(alone), together)
    assert len(decide({v: p[:0] for v, p in predictions.items()}, {v: p[:0] for v, p in present.items()}, prior)) == 0
