"""Partners, shares, and what they do to pictures and tokens."""

from collections.abc import Mapping

import pytest
import torch
from scipy.stats import beta, kstest
from torch import Tensor
from torch.testing import assert_close

from mmtrain.batch import Image, Tokens
from mmtrain.mixing.mix import Mix, draw

SHARES = torch.tensor([0.75, 1.0, 0.5])


def mix(partner: list[int], shares: Tensor = SHARES) -> Mix:
    return Mix.of(torch.tensor(partner), shares[:, None, None])


def test_a_row_that_keeps_everything_is_its_own_partner() -> None:
    found = mix([1, 2, 0])
    assert found.partner.tolist() == [1, 1, 0]
    assert torch.equal(found.share, SHARES)


def test_pictures_are_blended_by_hand() -> None:
    pixels = torch.tensor([[[[1.0, -1.0]]], [[[0.2, 0.4]]], [[[0.0, 0.5]]]])
    found = mix([1, 2, 0]).pictures(Image(pixels)).pixels
    assert_close(found[0, 0, 0], torch.tensor([0.75 * 1 + 0.25 * 0.2, 0.75 * -1 + 0.25 * 0.4]))
    assert torch.equal(found[1], pixels[1])
    assert_close(found[2, 0, 0], torch.tensor([0.5, -0.25]))


def test_places_of_a_coarse_grid_cover_whole_pixels() -> None:
    kept = torch.ones(2, 2, 3)
    kept[0, 1, 2] = 0
    pixels = torch.rand(2, 3, 4, 9)
    found = Mix.of(torch.tensor([1, 0]), kept)
    assert_close(found.share, torch.tensor([5 / 6, 1.0]))
    expected = pixels.clone()
    expected[0, :, 2:, 6:] = pixels[1, :, 2:, 6:]
    assert torch.equal(found.pictures(Image(pixels)).pixels, expected)


def test_tokens_are_blended_by_hand() -> None:
    mask = torch.tensor([[True, True, False], [True, False, False], [False, False, True]])
    values = torch.where(mask[:, :, None], torch.arange(1.0, 19).view(3, 3, 2), 0)
    given = Tokens(torch.where(mask[:, :, None], values, 7.0), mask, (1, 3), {"size": torch.tensor(1.0)})  # 7: must not be read
    found = mix([2, 0, 0]).tokens(given)
    assert found.mask.tolist() == [[True, True, True], [True, False, False], [True, True, True]]
    assert_close(found.values[0], 0.75 * values[0] + 0.25 * values[2])
    assert torch.equal(found.values[1], values[1])
    assert_close(found.values[2], 0.5 * values[2] + 0.5 * values[0])
    assert found.grid == (1, 3)
    assert found.penalties == given.penalties


def test_half_precision_stays() -> None:
    tokens = Tokens(torch.rand(3, 2, 4, dtype=torch.bfloat16), torch.ones(3, 2, dtype=torch.bool))
    assert mix([1, 2, 0]).tokens(tokens).values.dtype == torch.bfloat16
    assert torch.equal(mix([1, 2, 0]).tokens(tokens).values[1], tokens.values[1])


def test_among_the_rows_that_have_a_modality() -> None:
    whole = Mix.of(torch.tensor([3, 1, 2, 0, 4]), torch.tensor([0.6, 1, 1, 0.7, 1])[:, None, None])
    found = whole.take(torch.tensor([0, 2, 3]))
    assert found.partner.tolist() == [2, 1, 0]
    assert_close(found.share, torch.tensor([0.6, 1, 0.7]))


def present(patterns: Mapping[str, list[int]]) -> dict[str, Tensor]:
    return {name: torch.tensor(rows, dtype=torch.bool) for name, rows in patterns.items()}


def test_partners_have_the_same_modalities() -> None:
    patterns = present({"picture": [1, 1, 0, 1, 0, 1, 1, 0], "words": [1, 0, 1, 1, 1, 0, 1, 0]})
    code = 2 * patterns["picture"].long() + patterns["words"].long()
    seen: dict[int, set[int]] = {row: set() for row in range(8)}
    for _ in range(200):
        partner, share = draw(patterns, alpha=1.0, probability=1.0)
        mixed = share < 1
        assert torch.equal(code[partner][mixed], code[mixed])
        assert (partner != torch.arange(8))[mixed].all()
        assert mixed[code == 3].sum() >= 2  # of the ring of three, one row at most stays alone
        for row in mixed.nonzero()[:, 0].tolist():
            seen[row].add(int(partner[row]))
    assert seen == {0: {3, 6}, 3: {0, 6}, 6: {0, 3}, 1: {5}, 5: {1}, 2: {4}, 4: {2}, 7: set()}


def test_where_all_rows_are_alike_each_is_mixed_and_lent_once() -> None:
    partner, share = draw({"picture": torch.ones(50, dtype=torch.bool)}, alpha=1.0, probability=1.0)
    assert partner.sort().values.tolist() == list(range(50))
    assert (share < 1).all()


@pytest.mark.parametrize("rows", [0, 1])
def test_a_row_by_itself_is_not_mixed(rows: int) -> None:
    _, share = draw({"picture": torch.ones(rows, dtype=torch.bool)}, alpha=1.0, probability=1.0)
    assert share.tolist() == [1.0] * rows


@pytest.mark.parametrize("alpha", [0.2, 1.0, 4.0])
def test_shares_are_the_larger_parts_of_a_beta(alpha: float) -> None:
    _, share = draw({"picture": torch.ones(4000, dtype=torch.bool)}, alpha=alpha, probability=1.0)
    share = share.double().clamp(max=1 - 1e-12)

    def below(value: Tensor) -> Tensor:
        return beta.cdf(value, alpha, alpha) - beta.cdf(1 - value, alpha, alpha)

    assert share.min() >= 0.5
    assert kstest(share.numpy(), below).pvalue > 1e-3


@pytest.mark.parametrize("alpha", [1e-3, 1e-2, 1e3])
def test_no_alpha_breaks_the_share(alpha: float) -> None:
    _, share = draw({"picture": torch.ones(4000, dtype=torch.bool)}, alpha=alpha, probability=1.0)
    assert ((share >= 0.5) & (share <= 1)).all()


def test_rows_are_mixed_as_often_as_asked() -> None:
    _, share = draw({"picture": torch.ones(4000, dtype=torch.bool)}, alpha=1.0, probability=0.3)
    assert abs(float((share < 1).float().mean()) - 0.3) < 0.03
