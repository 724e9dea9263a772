import torch

from mmtrain.encoder.text.word import Words
from mmtrain.spec import TextSpec

IDS = torch.tensor([[2, 3, 4, 2], [4, 0, 0, 0]])
MASK = torch.tensor([[True, True, True, True], [True, False, False, False]])


def test_a_word_is_its_row_of_the_table() -> None:
    words = Words(TextSpec(5), 3, word_dropout=0.0)
    found = words(IDS, MASK)
    assert torch.equal(found[0], words.table.weight[[2, 3, 4, 2]])
    assert torch.equal(found[1, 0], words.table.weight[4])
    assert not found[1, 1:].any()


def test_vectors_start_small_and_padding_at_zero() -> None:
    weight = Words(TextSpec(500), 40, word_dropout=0.0).table.weight
    assert 0.09 < weight[1:].std() < 0.11
    assert not weight[0].any()


def test_dropped_words_become_the_unknown_word() -> None:
    words = Words(TextSpec(5), 3, word_dropout=0.5)
    ids, mask = IDS[:1].repeat(200, 1), MASK[:1].repeat(200, 1)
    unknown = (words(ids, mask) == words.table.weight[1]).all(-1)
    kept = (words(ids, mask) == words.table.weight[ids]).all(-1)
    assert 0.4 < unknown.float().mean() < 0.6
    assert 0.4 < kept.float().mean() < 0.6
    words.eval()
    assert torch.equal(words(ids, mask), words.table.weight[ids])


def test_padding_is_never_dropped() -> None:
    words = Words(TextSpec(5), 3, word_dropout=0.9)
    assert not any(words(IDS, MASK)[1, 1:].any() for _ in range(20))


def test_the_unknown_word_learns_from_dropped_words() -> None:
    words = Words(TextSpec(5), 3, word_dropout=0.9)
    words(IDS.repeat(20, 1), MASK.repeat(20, 1)).sum().backward()
    assert words.table.weight.grad is not None
    assert words.table.weight.grad[1].all()
    assert not words.table.weight.grad[0].any()
