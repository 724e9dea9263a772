import torch
from torch.testing import assert_close

from mmtrain.batch import Tokens
from mmtrain.encoder.pieces import by_word


def test_a_word_is_the_mean_of_its_pieces() -> None:
    values = torch.randn(2, 5, 3)
    mask = torch.tensor([[True] * 5, [True, True, True, False, False]])
    words = torch.tensor([[0, 1, 1, 3, 0], [1, 2, 2, 0, 0]])
    found = by_word(Tokens(torch.where(mask[..., None], values, 0), mask, penalties={"x": torch.ones(())}), words)
    assert found.mask.tolist() == [[True, False, True, False, False], [True, True, False, False, False]]
    expected = torch.zeros(2, 5, 3)
    expected[0, 0], expected[0, 2] = values[0, 1:3].mean(0), values[0, 3]
    expected[1, 0], expected[1, 1] = values[1, 0], values[1, 1:3].mean(0)
    assert_close(found.values, expected)
    assert "x" in found.penalties


def test_whole_words_stay_as_they_are_to_the_bit() -> None:
    mask = torch.tensor([[True, True, True], [True, False, False]])
    values = torch.where(mask[..., None], torch.randn(2, 3, 4), 0)
    found = by_word(Tokens(values, mask), mask.cumsum(1) * mask)
    assert found.mask.equal(mask)
    assert found.values.equal(values)


def test_what_stands_under_the_mask_has_no_influence() -> None:
    mask = torch.tensor([[True, False, True]])
    for junk in (torch.nan, torch.inf):
        values = torch.tensor([[[1.0], [junk], [2.0]]], requires_grad=True)
        found = by_word(Tokens(values, mask), torch.tensor([[1, 1, 2]]))
        found.values.sum().backward()
        assert found.values.flatten().tolist() == [1, 2, 0]
        assert values.grad is not None
        assert values.grad.flatten().tolist() == [1, 0, 1]
