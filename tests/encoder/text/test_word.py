from collections.abc import Callable

import torch

from mmtrain.batch import Text
from mmtrain.encoder.text.word import Words
from mmtrain.spec import TextSpec

Make = Callable[..., Text]
IDS = [[2, 3, 4, 2], [4, 0, 0, 0]]


def test_a_word_is_its_row_of_the_table(make_text: Make) -> None:
    words = Words(TextSpec(5), 3, word_dropout=0.0)
    found = words(make_text(IDS))
    assert torch.equal(found[0], words.table.weight[[2, 3, 4, 2]])
    assert torch.equal(found[1, 0], words.table.weight[4])
    assert not found[1, 1:].any()


def test_vectors_start_small_and_padding_at_zero() -> None:
    weight = Words(TextSpec(500), 40, word_dropout=0.0).table.weight
    assert 0.09 < weight[1:].std() < 0.11
    assert not weight[0].any()


def test_dropped_words_become_the_unknown_word(make_text: Make) -> None:
    words = Words(TextSpec(5), 3, word_dropout=0.5)
    text = make_text(200 * IDS[:1])
    unknown = (words(text) == words.table.weight[1]).all(-1)
    kept = (words(text) == words.table.weight[text.ids]).all(-1)
    assert 0.4 < unknown.float().mean() < 0.6
    assert 0.4 < kept.float().mean() < 0.6
    words.eval()
    assert torch.equal(words(text), words.table.weight[text.ids])


def test_padding_is_never_dropped(make_text: Make) -> None:
    words = Words(TextSpec(5), 3, word_dropout=0.9)
    assert not any(words(make_text(IDS))[1, 1:].any() for _ in range(20))


def test_the_unknown_word_learns_from_dropped_words(make_text: Make) -> None:
    words = Words(TextSpec(5), 3, word_dropout=0.9)
    words(make_text(20 * IDS)).sum().backward()
    assert words.table.weight.grad is not None
    assert words.table.weight.grad[1].all()
    assert not words.table.weight.grad[0].any()


def test_the_spelling_is_added_and_stays_where_the_word_is_dropped(make_text: Make) -> None:
    words = Words(TextSpec(5, letters=6), 3, word_dropout=0.999999, buckets=10)
    text = make_text([[2, 0]], [[[3, 4], [0, 0]]])
    assert words.spelling is not None
    spelled = words.spelling(text.letters)
    assert spelled[0, 0].all()
    assert torch.equal(words(text)[0, 0], words.table.weight[1] + spelled[0, 0])
    assert torch.equal(words.eval()(text)[0, 0], words.table.weight[2] + spelled[0, 0])
    assert not words(text)[0, 1].any()
