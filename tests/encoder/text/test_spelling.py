from collections import Counter

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from mmtrain.encoder.text.spelling import LetterCNN, Ngrams

ALPHABET = {letter: number for number, letter in enumerate("abcdefghijklmnopqrstuvwxyz", 2)}
LETTERS = len(ALPHABET) + 2
START, END = LETTERS, LETTERS + 1


def written(*words: str, room: int = 8) -> Tensor:
    """One row of the words."""
    return torch.tensor([[[*map(ALPHABET.__getitem__, word), *[0] * (room - len(word))] for word in words]])


def hashed(ngram: list[int], buckets: int) -> int:
    """FNV-1a of 32 bits, as it is defined."""
    found = 0x811C9DC5
    for letter in ngram:
        found = ((found ^ letter) * 0x01000193) % 2**32
    return 1 + found % buckets


@pytest.mark.parametrize("word", ["a", "to", "cat", "anagrams"])
def test_a_word_is_the_mean_of_its_ngrams(word: str) -> None:
    speller = Ngrams(LETTERS, 5, buckets=300)
    marked = [START, *map(ALPHABET.__getitem__, word), END]
    numbers = [hashed(marked[first : first + size], 300) for size in (3, 4, 5) for first in range(len(marked) - size + 1)]
    assert_close(speller(written(word))[0, 0], speller.table.weight[numbers].mean(0))


def test_room_for_letters_changes_nothing_and_no_letter_is_zero() -> None:
    for speller in (Ngrams(LETTERS, 5, buckets=300), LetterCNN(LETTERS, 5)):
        found = speller(written("cat", "", "to", room=3))
        assert_close(speller(written("cat", "", "to", room=9)), found, atol=1e-6, rtol=1e-6)
        assert not found[0, 1].any()
        assert found[0, [0, 2]].any(-1).all()


def test_a_single_letter_of_room_is_enough() -> None:
    for speller in (Ngrams(LETTERS, 5, buckets=300), LetterCNN(LETTERS, 5)):
        assert speller(written("a", "", room=1)).shape == (1, 2, 5)


def test_hashes_fill_the_buckets_evenly() -> None:
    letters = torch.randint(2, LETTERS, (50, 40, 8))
    numbers = Counter(Ngrams(LETTERS, 1, buckets=100)._ngrams(letters).flatten().tolist())
    assert set(numbers) == set(range(1, 101))
    assert max(numbers.values()) < 1.5 * min(numbers.values())


def test_words_that_look_alike_have_vectors_that_are_alike() -> None:
    speller = Ngrams(LETTERS, 1024, buckets=5000)
    smiling, smiled, tree = speller(written("smiling", "smiled", "tree"))[0]
    assert torch.cosine_similarity(smiling, smiled, 0) > 0.3  # six n-grams of 18 and of 15 are shared
    assert torch.cosine_similarity(smiling, tree, 0).abs() < 0.1


def test_the_convolution_is_the_one_of_torch() -> None:
    speller = LetterCNN(LETTERS, 5)
    convolution = torch.nn.Conv1d(16, 64, 3, padding=1)
    with torch.no_grad():
        convolution.weight.copy_(speller.convolution.weight.unflatten(1, (16, 3)))
        convolution.bias.copy_(speller.convolution.bias)  # type: ignore[union-attr]
    letters = written("words", room=5)
    expected = convolution(speller.table(letters)[0].transpose(1, 2)).amax(2).relu()
    assert_close(speller(letters)[0], speller.layer(expected), atol=1e-6, rtol=1e-6)
