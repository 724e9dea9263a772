"""What a column holds: one table a question, every answer by its kind and what was seen."""

from collections.abc import Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from mmtrain.guess import Guess, look
from mmtrain.table import Table

ROWS = 40
WORDS = ["a red cup", "two blue plates", "one green bowl with a lid"]


def guess(cells: Sequence[Any], name: str = "column", **options: Any) -> Guess:
    series = pl.Series(name, cells)
    return look(Table(series.to_frame(), "table.csv", np.arange(1, len(series) + 1), **options), name)


@pytest.mark.parametrize(
    ("cells", "kind", "seen"),
    [
        ([None] * ROWS, "nothing", "all cells are empty"),
        (["x"] * 20 + [None] * 20, "nothing", "all cells are 'x', 50.0% empty"),
        (["a", "b"] * 19 + [None] * 2, "category", "2 different values, 5.0% empty"),
        ([WORDS[row % 3] for row in range(ROWS)], "category", "3 different values"),
        ([f"{WORDS[row % 3]} {row}" for row in range(ROWS)], "text", "4.97 words on average; 40 different values"),
        (["這是一個非常長的句子,裡面沒有任何空格可言" + chr(0x4E00 + row) for row in range(ROWS)], "text", ""),
        ([f"word{row}" for row in range(ROWS)], "nothing", "hardly any value returns; 40 different values"),
        ([f"word{row // 2}" for row in range(ROWS)], "category", "20 different values"),
        ([str(row / 8) for row in range(ROWS)], "number", "from 0 to 4.875; 40 different values"),
        ([row / 8 for row in range(ROWS)], "number", "from 0 to 4.875; 40 different values"),
        ([["12", " 7.5", "NA", "8"][row % 4] + "0" * (row % 4 < 2) * row for row in range(8)], "number", ""),
        ([str(row % 5) for row in range(ROWS)], "category", "numbers that recur; 5 different values"),
        ([row % 5 for row in range(ROWS)], "category", "numbers that recur; 5 different values"),
        ([["0", "1"][row % 2] for row in range(4)], "category", "numbers that recur; 2 different values"),
        ([row % 7 / 2 for row in range(ROWS)], "number", "from 0 to 3; 7 different values"),
        ([["none", "1", "2"][row % 3] for row in range(ROWS)], "category", "numbers that recur; 3 different values"),
        ([f"{row % 4:03}" for row in range(ROWS)], "category", "codes; 4 different values"),
        ([f"0{row * 7919}" for row in range(ROWS)], "nothing", "codes; 40 different values"),
        ([True, False] * 20, "category", "2 different values"),
        ([f"2024-01-{row % 28 + 1:02}" for row in range(ROWS)], "date", "2024-01-01 to 2024-01-28; 28 different values"),
        ([date(2024, 1, row % 28 + 1) for row in range(ROWS)], "date", "28 different values"),
        ([datetime(2024, 1, 1, row % 24) for row in range(ROWS)], "date", "24 different values"),
        ([time(row % 4) for row in range(ROWS)], "category", "4 different values"),
        ([time(row % 24, row) for row in range(ROWS)], "nothing", "hardly any value returns; 40 different values"),
        ([f"{row},{row},1,-2.5e3" for row in range(ROWS)], "vector", "4 numbers each; 40 different values"),
        (["[" + " ".join(["1.5"] * (row + 4)) + "]" for row in range(ROWS)], "series", "4 to 43 numbers; 40 different values"),
        ([[float(row), 2.0] for row in range(ROWS)], "vector", "lists of 2 numbers"),
        ([[0.5] * (row + 1) for row in range(ROWS)], "series", "lists of numbers, 1 to 40 long"),
        ([[[0.5, 1.0]] * (row + 1) for row in range(ROWS)], "series", "lists of numbers, 1 to 40 long"),
        ([["a", "b"]] * ROWS, "text", "lists of words"),
        ([{"a": 1}] * ROWS, "nothing", "cells of a kind that no modality reads (Struct({'a': Int64}))"),
        (["train", "val", "test", "train"] * 10, "split", "3 different values"),
        (["train", "test"] * 20, "nothing", "says test or train, but a column of splits needs train and val; 2 different values"),
        (["train", "val", None, "train"] * 10, "category", "2 different values, 25.0% empty"),
    ],
)  # fmt: skip
def test_what_cells_look_like(cells: Sequence[Any], kind: str, seen: str) -> None:
    found = guess(cells)
    assert found.kind == kind
    assert found.seen == seen or not seen


@pytest.mark.parametrize("name", ["id", "ID", "image_id", "sample id", "ImageId", "uuid", "row-key", "index"])
def test_ids_by_their_names(name: str) -> None:
    assert guess([f"x{row * 7}" for row in range(ROWS)], name).kind == "id"
    assert guess([str(row * row) for row in range(ROWS)], name).kind == "id"
    assert guess([str(row * row // 4) for row in range(2 * ROWS)], name).kind == "group"
    assert guess([["a", "b"][row % 2] for row in range(ROWS)], name).kind == "category"


@pytest.mark.parametrize("name", ["paid", "grid", "valid", "monkey", "identity"])
def test_names_that_only_sound_so(name: str) -> None:
    assert guess([f"x{row * 7}" for row in range(ROWS)], name).kind == "nothing"


def test_numbers_of_rows_are_no_input() -> None:
    assert guess([str(row) for row in range(ROWS)]).seen == "numbers of the rows; 40 different values"
    assert guess(list(range(1, ROWS)), "n").kind == "nothing"
    assert guess([float(row) + 0.5 for row in range(ROWS)]).kind == "number"


def test_words_that_stand_for_a_missing_number() -> None:
    found = guess(["1.5", " NA", "?", "2.5", "-", "3"] * 7)
    assert found.kind == "number"
    assert found.nulls == {" NA", "?", "-"}
    assert guess(["1", "2", "NA", "none"] * 10).nulls == {"NA"}
    assert guess(["1.5", "2.5 kg", "3"] * 14).kind == "category"
    assert guess(["nan", "inf"] * 20).kind == "category"


def test_a_comma_may_be_the_point_of_numbers() -> None:
    cells = [f"{row},{row}" for row in range(ROWS)]
    assert guess(cells, decimal=",").seen == "from 0 to 39.39; 40 different values"


@pytest.mark.parametrize("name", ["???", "", r"a\${b}"])
def test_names_that_yaml_cannot_hold(name: str) -> None:
    assert guess([row / 2 for row in range(ROWS)], name).seen == "YAML cannot name such a column; rename it"


def test_paths_are_looked_up_from_the_root(tmp_path: Path) -> None:
    for row in range(ROWS):
        (tmp_path / f"{row}.csv").write_text("x,y\n1,2\n")
    cells = [f"{row}.csv" for row in range(ROWS)]
    assert guess(cells, root=tmp_path).kind == "series"
    assert guess(cells, root=tmp_path / "elsewhere").kind == "nothing"
