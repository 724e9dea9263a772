"""How often a modality is taken away, and that never all are."""

import pytest
import torch

from mmtrain.batch import Tokens
from mmtrain.missing.dropout import ModalityDropout

ROWS = 40_000


def dropped(rate: float, there: dict[str, bool]) -> torch.Tensor:
    """Which rows lost which of these modalities, (rows, modalities); all rows have the same ones."""
    mask = {name: torch.full((ROWS,), has) for name, has in there.items()}
    tokens = {name: Tokens(torch.ones(ROWS, 1, 1), present[:, None]) for name, present in mask.items()}
    found, left = ModalityDropout(rate)(tokens, mask)
    for name, part in found.items():
        assert torch.equal(part.mask[:, 0], left[name])
        assert torch.equal(part.values[:, 0, 0], left[name].float())
    return torch.stack([mask[name] & ~left[name] for name in there], 1)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("count", [2, 3, 4])
def test_the_rate_and_that_one_always_stays(rate: float, count: int) -> None:
    taken = dropped(rate, {str(place): True for place in range(count)})
    expected = rate - rate**count / count  # taken by chance, unless chance took all and this one stays
    five_sigma = 5 * (expected * (1 - expected) / ROWS) ** 0.5
    assert (taken.float().mean(0) - expected).abs().max() < five_sigma
    assert not taken.all(1).any()


def test_rows_are_drawn_apart_from_each_other() -> None:
    """Of three modalities, all but the one that stays go with rate**3, exactly two by chance with 3 rate**2 (1 - rate)."""
    taken = dropped(0.5, {"a": True, "b": True, "c": True}).sum(1)
    shares = torch.bincount(taken, minlength=4) / ROWS
    assert shares.tolist() == pytest.approx([1 / 8, 3 / 8, 3 / 8 + 1 / 8, 0], abs=5 * 0.5 / ROWS**0.5)


def test_the_only_modality_of_a_row_stays() -> None:
    assert not dropped(0.99, {"a": True, "b": False}).any()


def test_of_two_that_are_there_absent_ones_save_none() -> None:
    taken = dropped(0.5, {"a": True, "b": False, "c": True})
    assert taken[:, [0, 2]].float().mean(0).tolist() == pytest.approx([0.375, 0.375], abs=5 * 0.5 / ROWS**0.5)
    assert not taken[:, [0, 2]].all(1).any()


def test_the_random_state_decides() -> None:
    torch.manual_seed(3)
    first = dropped(0.5, {"a": True, "b": True})
    assert not torch.equal(dropped(0.5, {"a": True, "b": True}), first)
    torch.manual_seed(3)
    assert torch.equal(dropped(0.5, {"a": True, "b": True}), first)
