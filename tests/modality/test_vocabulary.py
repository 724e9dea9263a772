import json
import subprocess
import sys
from typing import Literal

import pytest

from mmtrain.modality.vocabulary import PieceVocabulary, WordVocabulary

ROWS = [["low", "low", "low", "low", "low", "lower", "lower"], 6 * ["newest"] + 3 * ["widest"]]
Kind = Literal["bpe", "wordpiece"]
KINDS = pytest.mark.parametrize("kind", ["bpe", "wordpiece"])


def test_words_are_numbered_from_two() -> None:
    vocabulary = WordVocabulary(min_count=1, size=3)
    vocabulary.fit(ROWS)
    assert vocabulary.state() == {"words": ["newest", "low", "widest"]}
    assert len(vocabulary) == 5
    assert [row.tolist() for row, _ in vocabulary.number([["low", "lower"], []])] == [[3, 1], []]


def test_pairs_are_joined_in_the_order_of_the_source() -> None:
    """The words of Sennrich et al. 2016, section 3.2, but with the end of a word marked on its last letter."""
    vocabulary = PieceVocabulary("bpe", min_count=2, size=100)
    vocabulary.fit(ROWS)
    merges = vocabulary.state()["merges"]
    assert {*map(tuple, merges[:2])} == {("e", "s"), ("es", "t</w>")}
    pieces = ["", "", *vocabulary.state()["pieces"]]
    found = [[pieces[number] for number in vocabulary.number([[word]])[0][0]] for word in ("newest", "widest", "lowest")]
    assert found[:2] == [["newest</w>"], ["widest</w>"]]
    assert found[2][-1] == "est</w>"
    assert "".join(found[2]) == "lowest</w>"


def test_wordpiece_reads_the_longest_piece_from_the_left() -> None:
    vocabulary = PieceVocabulary("wordpiece", min_count=1, size=100)
    vocabulary.fit(ROWS)
    pieces = ["", "", *vocabulary.state()["pieces"]]
    assert [pieces[number] for number in vocabulary.number([["newest", "lowest"]])[0][0]] == ["newest", "low", "##est"]


@KINDS
def test_a_letter_that_train_never_saw_is_unknown(kind: Kind) -> None:
    vocabulary = PieceVocabulary(kind, min_count=1, size=100)
    vocabulary.fit(ROWS)
    assert vocabulary.number([["\u4e2d"]])[0][0].tolist() == [1]
    assert 0 not in vocabulary.number([["low\u4e2d", "no word", "unknown word", ""]])[0][0]


@KINDS
def test_the_size_limits_the_pieces(kind: Kind) -> None:
    vocabulary = PieceVocabulary(kind, min_count=1, size=25)
    vocabulary.fit(ROWS)
    assert len(vocabulary) == 27


@pytest.mark.parametrize(("kind", "pieces"), [("bpe", ["b</w>", "c</w>", "a", "b", "c"]), ("wordpiece", ["##b", "##c", "a", "b", "c"])])
def test_letters_stay_whatever_the_size(kind: Kind, pieces: list[str]) -> None:
    vocabulary = PieceVocabulary(kind, min_count=1, size=1)
    vocabulary.fit([["ab", "ac", "ab"]])
    assert vocabulary.state() == {"pieces": pieces, "merges": []}
    assert 1 not in vocabulary.number([["ab", "ac"]])[0][0]


@KINDS
def test_state_comes_back_from_json(kind: Kind) -> None:
    fitted, restored = (PieceVocabulary(kind, min_count=1, size=100) for _ in range(2))
    fitted.fit(ROWS)
    restored.load_state(json.loads(json.dumps(fitted.state())))
    assert restored.state() == fitted.state()
    new = [["lowest", "wider"]]
    assert restored.number(new)[0][0].tolist() == fitted.number(new)[0][0].tolist()


def test_no_words_make_an_empty_vocabulary() -> None:
    for vocabulary in (WordVocabulary(min_count=1, size=9), PieceVocabulary("bpe", min_count=1, size=9)):
        vocabulary.fit([[], []])
        assert len(vocabulary) == 2
        assert vocabulary.number([[], ["new"]])[1][0].tolist() in ([1], [1, 1, 1])


@KINDS
def test_every_process_finds_the_same_pieces(kind: Kind) -> None:
    """The library keeps letters in a hash table that another process orders in another way."""
    vocabulary = PieceVocabulary(kind, min_count=1, size=100)
    vocabulary.fit(ROWS)
    code = "import json, sys; from mmtrain.modality.vocabulary import PieceVocabulary as P; v = P(sys.argv[1], min_count=1, size=100)"
    code += "; v.fit(json.loads(sys.argv[2])); print(json.dumps(v.state()))"
    found = subprocess.run([sys.executable, "-c", code, kind, json.dumps(ROWS)], capture_output=True, text=True, check=True)
    assert json.loads(found.stdout) == vocabulary.state()
