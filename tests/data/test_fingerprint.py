"""Whatever the arrays depend on changes the name of the store, and nothing else does."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from mmtrain.data.fingerprint import fingerprint
from mmtrain.modality import ImageModality, TabularModality, TextModality
from mmtrain.table import Table

COLUMNS = {"picture": ["0.png", "1.png", None], "words": ["a", "bc", None], "label": ["x", "y", "z"]}


def words(**options: Any) -> TextModality:
    return TextModality(column="words", min_count=1, **options)


def test_equal_cells_have_one_name_whatever_else_the_table_holds(make_table: Callable[..., Table]) -> None:
    table = make_table(COLUMNS)
    name = fingerprint(words(), table)
    assert len(name) == 32
    assert fingerprint(words(), replace(table, file="other.csv", numbers=np.array([7, 8, 9]))) == name
    assert fingerprint(words(), make_table(COLUMNS | {"label": ["p", "q", "r"]})) == name


def test_every_cell_counts(make_table: Callable[..., Table]) -> None:
    contents = [["a", "bc", None], ["ab", "c", None], ["a", "bc", ""], ["a", None, "bc"], ["bc", "a", None], ["a", "bc"], ["a", "bc", "é"]]
    names = [fingerprint(words(), make_table({"words": cells})) for cells in contents]
    assert len(set(names)) == len(names)
    assert fingerprint(words(), make_table({"words": [b"a", b"bc", None]})) == names[0]  # the same letters, whatever their type


def test_options_and_state_count(make_table: Callable[..., Table]) -> None:
    table = make_table(COLUMNS)
    fitted = words()
    fitted.fit(table)
    names = [fingerprint(part, table) for part in (words(), words(max_length=3), fitted, TextModality(column="label"))]
    assert len(set(names)) == len(names)


def test_the_kind_of_modality_counts(make_table: Callable[..., Table]) -> None:
    table = make_table(COLUMNS)
    assert fingerprint(TabularModality(categorical=["words"]), table) != fingerprint(words(), table)


def test_the_decimal_point_counts(make_table: Callable[..., Table]) -> None:
    table = make_table({"size": ["1,5", "2"]})
    part = TabularModality(numeric=["size"])
    assert fingerprint(part, table) != fingerprint(part, replace(table, decimal=","))


def test_files_count_by_size_and_time_and_folder(folder: Path, tmp_path: Path, make_table: Callable[..., Table]) -> None:
    part = ImageModality(column="picture", height=2, width=2)
    table = make_table(COLUMNS, root=folder)
    names = [fingerprint(part, table)]
    os.utime(folder / "1.png", ns=(0, 0))
    names.append(fingerprint(part, table))
    with (folder / "1.png").open("ab") as file:
        file.write(b"x")
    os.utime(folder / "1.png", ns=(0, 0))
    names.append(fingerprint(part, table))
    (folder / "1.png").unlink()
    names.append(fingerprint(part, table))
    (tmp_path / "elsewhere").mkdir()
    names.append(fingerprint(part, replace(table, root=tmp_path / "elsewhere")))
    assert len(set(names)) == 5


def test_files_that_are_not_named_do_not_count(folder: Path, make_table: Callable[..., Table]) -> None:
    part = ImageModality(column="picture", height=2, width=2)
    table = make_table(COLUMNS, root=folder)
    name = fingerprint(part, table)
    os.utime(folder / "2.png", ns=(0, 0))
    assert fingerprint(part, table) == name


def test_encoded_files_in_cells_count_by_content(make_table: Callable[..., Table]) -> None:
    part = ImageModality(column="picture", height=2, width=2)
    names = [fingerprint(part, make_table({"picture": pl.Series(cells, dtype=pl.Binary)})) for cells in ([b"a", b"b"], [b"a", b"c"])]
    assert names[0] != names[1]
