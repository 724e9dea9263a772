"""Words of many scripts, hence letters that look like others."""

# ruff: noqa: RUF001

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pytest

from mmtrain.errors import ConfigError
from mmtrain.modality import Modality, TextModality
from mmtrain.spec import TextSpec
from mmtrain.table import Table

Build = Callable[..., Table]
Through = Callable[[Modality, Table], Any]


def words(table: Build, text: str, **options: Any) -> list[str]:
    """The words that a cell is split into, as the vocabulary of this one row shows them, in their order."""
    rows = table(text=[text])
    modality = TextModality(column="text", min_count=1, **options)
    modality.fit(rows)
    vocabulary = modality.state()["words"]
    return [vocabulary[number - 2] for number in modality.encode(rows)[0]["ids"][0]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Don't stop, it’s 2016!", ["don't", "stop", ",", "it’s", "2016", "!"]),
        ("snake_case  and\tnew\nlines", ["snake_case", "and", "new", "lines"]),
        ("漢字かな", ["漢", "字", "か", "な"]),
        ("ab漢字cd", ["ab", "漢", "字", "cd"]),
        ("한국어 단어", ["한국어", "단어"]),
        ("नमस्ते दुनिया", ["नमस्ते", "दुनिया"]),
        ("ส้ม", ["ส้", "ม"]),
        ("می\u200cخواهم", ["می\u200cخواهم"]),
        ("مرحبا!", ["مرحبا", "!"]),
        ("\u200bzero\ufeff width", ["zero", "width"]),
        ("❤️👍", ["❤️", "👍"]),
        ("e\u0301te\u0301", ["été"]),
        ("STRASSE Straße", ["strasse", "strasse"]),
        ("ΣΑΣ", ["σασ"]),
    ],
)
def test_words_of_any_script(table: Build, text: str, expected: list[str]) -> None:
    assert words(table, text) == expected


def test_case_may_be_kept(table: Build) -> None:
    assert words(table, "The the", casefold=False) == ["The", "the"]


def test_the_vocabulary_is_ordered_by_count_then_alphabet(table: Build) -> None:
    modality = TextModality(column="text", min_count=2)
    modality.fit(table(text=["b a c", "c a b", "c once"]))
    assert modality.state() == {"words": ["c", "a", "b"]}
    assert modality.spec == TextSpec(vocabulary=5, max_length=256)


def test_the_vocabulary_is_limited(table: Build) -> None:
    modality = TextModality(column="text", min_count=1, max_words=2)
    modality.fit(table(text=["a a a b b c"]))
    assert modality.state() == {"words": ["a", "b"]}


def test_unknown_words_get_id_one(table: Build) -> None:
    modality = TextModality(column="text", min_count=1)
    modality.fit(table(text=["red circle"]))
    ids = modality.encode(table(text=["green circle red", "never seen"]))[0]["ids"]
    assert [row.tolist() for row in ids] == [[1, 2, 3], [1, 1]]


def test_only_the_first_words_are_kept(table: Build) -> None:
    assert words(table, "a b c d", max_length=3) == ["a", "b", "c"]


def test_several_columns_are_joined_in_order(table: Build) -> None:
    modality = TextModality(column=["name", "tags"], min_count=1)
    rows = table(name=["cat", None, None], tags=["animal, pet", "pet", None])
    modality.fit(rows)
    ids, present = modality.encode(rows)
    vocabulary = ["", "", *modality.state()["words"]]
    assert [[vocabulary[number] for number in row] for row in ids["ids"]] == [["cat", "animal", ",", "pet"], ["pet"], []]
    assert present.tolist() == [True, True, False]
    assert modality.columns == ["name", "tags"]


def test_blanks_may_part_words_that_are_then_kept_as_they_stand(table: Build) -> None:
    tokens = ["I", "'", "d", "like", "New_York", "!?", "\u00a0", "e\u0301"]
    found = words(table, " ".join(tokens) + "  ", split="blanks", casefold=False)
    assert found == [*tokens[:-1], "\u00e9"]
    assert words(table, " ".join(tokens), split="blanks")[4] == "new_york"


def test_a_list_is_its_words(table: Build) -> None:
    modality = TextModality(column=["words", "more"], min_count=1, casefold=False)
    rows = table(words=[["New York", None, "x"], None, []], more=["a b", None, None])
    modality.fit(rows)
    ids, present = modality.encode(rows)
    vocabulary = [None, None, *modality.state()["words"]]
    assert [vocabulary[number] for number in ids["ids"][0]] == ["New York", "", "x", "a", "b"]
    assert present.tolist() == [True, False, False]


def test_letters_are_numbered_by_an_alphabet_from_train(table: Build, inputs: Through) -> None:
    modality = TextModality(column="text", letters=3)
    modality.fit(table(text=["abba b", "x cab"]))
    assert modality.state() == {"words": [], "letters": ["b", "a"]}
    assert modality.spec == TextSpec(vocabulary=2, letters=4, max_length=256)
    batch = inputs(modality, table(text=["baab zb", None, "a"]))
    np.testing.assert_array_equal(batch.letters, [[[2, 3, 3], [1, 2, 0]], 2 * [[0, 0, 0]], [[3, 0, 0], [0, 0, 0]]])
    np.testing.assert_array_equal(batch.ids, [[1, 1], [0, 0], [1, 0]])


def test_letters_end_with_the_words(table: Build, inputs: Through) -> None:
    modality = TextModality(column="text", letters=2, min_count=1, max_length=3)
    rows = table(text=["a b c d e"])
    modality.fit(rows)
    assert inputs(modality, rows).letters.shape == (1, 3, 2)
    plain = TextModality(column="text", min_count=1)
    plain.fit(rows)
    assert inputs(plain, rows).letters.shape == (1, 5, 0)


@pytest.mark.parametrize("vocabulary", ["bpe", "wordpiece"])
def test_pieces_stand_for_rare_words(vocabulary: Literal["bpe", "wordpiece"], table: Build) -> None:
    modality = TextModality(column="text", vocabulary=vocabulary, min_count=1, max_words=40, max_length=4)
    modality.fit(table(text=["low lower lowest", "wide wider widest", "new newer newest"]))
    ids, present = modality.encode(table(text=["Low", "lowide", "low low low low low", None, "\u4e2d"]))
    assert [len(row) for row in ids["ids"]][2:4] == [4, 0]
    assert len(ids["ids"][1]) > 1
    assert min(ids["ids"][1]) > 1
    assert ids["ids"][4].tolist() == [1]
    assert present.tolist() == [True, True, True, False, True]
    assert modality.spec == TextSpec(vocabulary=2 + len(modality.state()["pieces"]), max_length=4)


def test_what_shapes_the_store_changes_the_recipe() -> None:
    options: list[dict[str, Any]] = [{}, {"split": "blanks"}, {"vocabulary": "bpe"}, {"tokenizer": "x"}, {"letters": 2}]
    options += [{"casefold": False}, {"max_length": 3}, {"column": ["text", "more"]}]
    recipes = [str(TextModality(**{"column": "text"} | option).recipe) for option in options]
    assert len(set(recipes)) == len(recipes)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"vocabulary": "bpe", "letters": 3}, "letters=3, but bpe reads words in pieces; set letters=0, or vocabulary=word"),
        ({"tokenizer": "x", "letters": 3}, "letters=3, but a tokenizer reads words in pieces"),
        ({"tokenizer": "x", "vocabulary": "wordpiece"}, "vocabulary=wordpiece beside the tokenizer 'x'; leave one of the two out"),
    ],
)
def test_options_that_contradict_each_other(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        TextModality(column="text", **options)


def test_no_column_at_all_is_refused() -> None:
    with pytest.raises(ConfigError, match="no column; name at least one"):
        TextModality(column=[])


@pytest.mark.parametrize("cell", [None, "", "  \t", "\u200b\ufeff"])
def test_a_cell_without_words_is_absent(table: Build, cell: str | None) -> None:
    modality = TextModality(column="text")
    modality.fit(table(text=["some words"]))
    _, present = modality.encode(table(text=[cell, "x"]))
    assert present.tolist() == [False, True]


def test_numbers_of_a_typed_file_are_words(table: Build) -> None:
    modality = TextModality(column="text", min_count=1)
    modality.fit(table(text=[7, 12]))
    assert modality.state() == {"words": ["12", "7"]}


def test_a_batch_is_padded_with_zero(table: Build, inputs: Through) -> None:
    modality = TextModality(column="text", min_count=1)
    rows = table(text=["a b c", None, "c"])
    modality.fit(rows)
    batch = inputs(modality, rows)
    np.testing.assert_array_equal(batch.ids, [[3, 4, 2], [0, 0, 0], [2, 0, 0]])
    np.testing.assert_array_equal(batch.mask, [[1, 1, 1], [0, 0, 0], [1, 0, 0]])
