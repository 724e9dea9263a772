"""Words of many scripts, hence letters that look like others."""

# ruff: noqa: RUF001

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mmtrain.errors import ConfigError
from mmtrain.modality import Modality, TextModality
from mmtrain.spec import TextSpec
from mmtrain.table import Table

Build = Callable[..., Table]


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
    assert modality.spec == TextSpec(vocabulary=5)


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


def test_no_column_at_all_is_refused() -> None:
    with pytest.raises(ConfigError, match="text modality: no column; name at least one"):
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


def test_a_batch_is_padded_with_zero(table: Build, inputs: Callable[[Modality, Table], Any]) -> None:
    modality = TextModality(column="text", min_count=1)
    rows = table(text=["a b c", None, "c"])
    modality.fit(rows)
    batch = inputs(modality, rows)
    np.testing.assert_array_equal(batch.ids, [[3, 4, 2], [0, 0, 0], [2, 0, 0]])
    np.testing.assert_array_equal(batch.mask, [[1, 1, 1], [0, 0, 0], [1, 0, 0]])
