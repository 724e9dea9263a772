"""The running mean of the train rows that have the modality."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.testing import assert_close

from mmtrain.batch import Tokens
from mmtrain.missing import Mean

DIMS = {"image": 3, "text": 2}


def by_hand(tokens: Tokens, present: torch.Tensor) -> torch.Tensor:
    """Mean over the rows of the mean over their tokens."""
    rows = [values[mask].double().mean(0) for values, mask, there in zip(tokens.values, tokens.mask, present, strict=True) if there]
    return torch.stack(rows).mean(0).float()


def test_it_stands_in_with_what_it_has_learned(draw: Callable[..., Any]) -> None:
    part, given = Mean(DIMS), draw(DIMS)
    tokens, present, *_ = part(*given)
    for name in DIMS:
        lacking = present[name] & ~given[1][name]
        assert lacking.any()
        assert_close(tokens[name].values[lacking, 0], by_hand(given[0][name], given[1][name]).expand(int(lacking.sum()), -1))


@pytest.mark.parametrize("momentum", [0.25, 1.0])
def test_all_batches_alike_at_first_then_the_newest_has_its_share(draw: Callable[..., Any], momentum: float) -> None:
    part, expected = Mean(DIMS, momentum=momentum), torch.zeros(3)
    for number in range(8):
        tokens, present = draw(DIMS)
        part(tokens, present)
        share = max(1 / (number + 1), momentum)
        expected = (1 - share) * expected + share * by_hand(tokens["image"], present["image"])
        assert_close(part.mean_image, expected)
        assert part.batches_image == number + 1


def test_it_learns_in_training_only(draw: Callable[..., Any]) -> None:
    part = Mean(DIMS)
    part(*draw(DIMS))
    before = {name: value.clone() for name, value in part.state_dict().items()}
    part.eval()
    part(*draw(DIMS))
    assert all(torch.equal(value, before[name]) for name, value in part.state_dict().items())


def test_a_batch_without_the_modality_teaches_nothing(draw: Callable[..., Any]) -> None:
    part = Mean(DIMS)
    part(*draw(DIMS))
    before = {name: value.clone() for name, value in part.state_dict().items()}
    tokens, present = draw(DIMS)
    for length in (0, 4):
        empty = Tokens(torch.zeros(8, length, 3), torch.zeros(8, length, dtype=torch.bool))
        part({**tokens, "image": empty}, {**present, "image": torch.zeros(8, dtype=torch.bool)})
    assert torch.equal(part.state_dict()["mean_image"], before["mean_image"])
    assert part.batches_image == 1
    assert part.batches_text == 3


def test_what_dropout_takes_still_counts(draw: Callable[..., Any]) -> None:
    given = draw(DIMS)
    part, plain = Mean(DIMS, dropout=0.9), Mean(DIMS)
    part(*given)
    plain(*given)
    assert torch.equal(part.state_dict()["mean_image"], plain.state_dict()["mean_image"])


def test_no_gradient_flows_into_it(draw: Callable[..., Any]) -> None:
    tokens, present = draw(DIMS)
    tokens["image"].values.requires_grad_()
    found, *_ = Mean(DIMS)(tokens, present)
    found["image"].values[~present["image"]].sum().backward()
    assert not tokens["image"].values.grad.any()
