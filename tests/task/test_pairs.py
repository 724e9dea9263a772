import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from mmtrain.batch import Fused, Tokens
from mmtrain.task.pairs import PairHead, PairLoss

DIMS = {"picture": 4, "words": 6}


def fused(rows: int = 3, *, absent: str | None = None, garbage: float = 0.0) -> Fused:
    """Two tokens of each modality; the second row of words has one, and the last row lacks the modality `absent`."""
    generator = torch.Generator().manual_seed(0)
    tokens = {}
    for name, dim in DIMS.items():
        values, mask = torch.randn(rows, 2, dim, generator=generator), torch.ones(rows, 2, dtype=torch.bool)
        if name == "words":
            mask[1, 1] = False
        if name == absent:
            mask[-1] = False
        tokens[name] = Tokens(torch.where(mask[..., None], values, garbage), mask)
    return Fused(torch.randn(rows, 5), tokens, torch.ones(rows, dtype=torch.bool))


def head() -> Any:
    torch.manual_seed(1)
    return PairHead(["words", "picture"], DIMS, dim=3)


def test_the_mean_token_is_mapped_and_brought_to_length_1() -> None:
    given, part = fused(), head()
    found = part(given.vector, given)
    assert found.shape == (3, 2, 3)
    expected = part.maps[0].weight @ given.tokens["words"].values[1, 0]
    assert_close(found[1, 0], expected / expected.norm())
    expected = part.maps[1].weight @ given.tokens["picture"].values[1].mean(0)
    assert_close(found[1, 1], expected / expected.norm())


def test_nothing_but_the_modality_itself_has_a_part_in_its_vector() -> None:
    given, other, part = fused(), fused(), head()
    other.tokens["picture"].values.add_(1.0)
    one, two = part(given.vector, given), part(-other.vector, other)
    assert torch.equal(one[:, 0], two[:, 0])
    assert not torch.allclose(one[:, 1], two[:, 1])


@pytest.mark.parametrize("garbage", [7.0, math.inf, math.nan])
def test_what_stands_in_an_absent_modality_changes_nothing(garbage: float) -> None:
    outcomes = []
    for held in (0.0, garbage):
        part, loss = head(), PairLoss(0.07)
        given = fused(absent="picture", garbage=held)
        found = part(given.vector, given)
        loss(found, torch.zeros(3, dtype=torch.long)).mean().backward()
        outcomes.append([found, *(parameter.grad for parameter in [*part.parameters(), *loss.parameters()])])
    assert all(torch.equal(one, two) for one, two in zip(*outcomes, strict=True))
    assert not outcomes[0][0][2, 1].any()


def test_no_row_has_the_modality() -> None:
    given, part = fused(), head()
    tokens = {**given.tokens, "words": Tokens(torch.zeros(3, 0, 6), torch.zeros(3, 0, dtype=torch.bool))}
    found = part(given.vector, Fused(given.vector, tokens, given.present))
    assert not found[:, 0].any()
    losses = PairLoss(0.07)(found, torch.zeros(3, dtype=torch.long))
    assert_close(losses, torch.zeros(3))
    losses.sum().backward()
    assert all(parameter.grad is None or not parameter.grad.any() for parameter in part.parameters())


def unit(rows: int, dim: int = 3) -> Tensor:
    vectors = torch.randn(rows, 2, dim)
    return vectors / vectors.norm(dim=2, keepdim=True)


def test_the_loss_is_that_of_the_papers_figure() -> None:
    """Its pseudocode, in NumPy: cross-entropy of logits and of their transpose, with the row's number as the label."""
    vectors = unit(5)
    logits = vectors[:, 0].double().numpy() @ vectors[:, 1].double().numpy().T * np.exp(np.log(1 / 0.07))
    by_row = -np.log(np.exp(logits).diagonal() / np.exp(logits).sum(1))
    by_column = -np.log(np.exp(logits).diagonal() / np.exp(logits).sum(0))
    found = PairLoss(0.07)(vectors, torch.zeros(5, dtype=torch.long))
    assert_close(found.detach().double(), torch.from_numpy((by_row + by_column) / 2), atol=1e-5, rtol=1e-5)


def test_a_row_that_lacks_a_vector_is_as_if_it_were_not_there() -> None:
    vectors, loss = unit(5), PairLoss(0.07)
    vectors[2, 1] = 0
    found = loss(vectors, torch.zeros(5, dtype=torch.long))
    kept = [0, 1, 3, 4]
    assert_close(found[kept], loss(vectors[kept], torch.zeros(4, dtype=torch.long)))
    assert found[2] == 0
    assert loss(unit(1), torch.zeros(1, dtype=torch.long)) == 0
    assert loss(unit(0), torch.zeros(0, dtype=torch.long)).shape == (0,)


def test_the_scale_is_learned_and_bounded() -> None:
    vectors, loss = unit(4), PairLoss(0.07)
    target = torch.zeros(4, dtype=torch.long)
    loss(vectors, target).sum().backward()
    assert loss.log_scale.grad is not None
    assert loss.log_scale.grad != 0
    with torch.no_grad():
        loss.log_scale.fill_(9.0)
    bounded = loss.eval()(vectors, target)
    assert loss.log_scale.item() == 9  # scoring changes nothing
    assert_close(loss.train()(vectors, target), bounded)
    assert loss.log_scale.item() == pytest.approx(math.log(100))
