"""Files to splits, and every way to get them wrong."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from mmtrain.errors import ConfigError, DataError
from mmtrain.source import Splits, TableSource

ROWS = [f"{number:03}" for number in range(40)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    frame = pl.DataFrame({"id": ROWS, "part": (["train"] * 6 + ["val"] * 2 + ["test"] * 2) * 4, "person": [row[:2] for row in ROWS]})
    frame.write_csv(tmp_path / "all.csv")
    for number, name in enumerate(("train", "val", "test")):
        frame[number * 10 : number * 10 + 10].write_csv(tmp_path / f"{name}.csv")
    return tmp_path


def ids(splits: Splits) -> dict[str, list[str]]:
    return {name: [splits.ids[table][row] for row in rows] for name, (table, rows) in splits.rows.items()}


def test_a_file_a_split(folder: Path) -> None:
    splits = TableSource(root=str(folder), train="train.csv", val="val.csv", test="test.csv", id="id").tables()
    assert ids(splits) == {"train": ROWS[:10], "val": ROWS[10:20], "test": ROWS[20:30]}
    assert {name: (table.file, table.root) for name, table in splits.tables.items()} == {
        "train": ("train.csv", folder),
        "val": ("val.csv", folder),
        "test": ("test.csv", folder),
    }


def test_test_may_be_absent_and_files_absolute(folder: Path) -> None:
    splits = TableSource(train=str(folder / "train.csv"), val=str(folder / "val.csv")).tables()
    assert list(splits.rows) == ["train", "val"]
    assert splits.tables["train"].root == folder
    assert ids(splits)["val"] == [str(number) for number in range(1, 11)]


def test_a_column_splits_one_table(folder: Path) -> None:
    splits = TableSource(root=str(folder), train="all.csv", split_column="part", id="id").tables()
    assert list(splits.tables) == ["train"]
    assert {name: len(found) for name, found in ids(splits).items()} == {"train": 24, "val": 8, "test": 8}
    assert ids(splits)["test"][:3] == ["008", "009", "018"]


def test_fractions_split_one_table(folder: Path) -> None:
    options: dict[str, Any] = {"root": str(folder), "train": "all.csv", "val_fraction": 0.25, "test_fraction": 0.25, "id": "id"}
    splits = TableSource(**options, split_seed=1).tables()
    assert list(splits.tables) == ["train"]
    assert {name: len(found) for name, found in ids(splits).items()} == {"train": 20, "val": 10, "test": 10}
    assert sorted(row for found in ids(splits).values() for row in found) == ROWS
    assert ids(TableSource(**options, split_seed=1).tables()) == ids(splits)
    assert ids(TableSource(**options, split_seed=2).tables()) != ids(splits)
    grouped = ids(TableSource(**options, group="person").tables())
    assert sorted(len({row[:2] for row in rows}) for rows in grouped.values()) == [1, 1, 2]


def test_a_test_file_and_a_fraction_for_val(folder: Path) -> None:
    found = ids(TableSource(root=str(folder), train="train.csv", test="test.csv", val_fraction=0.2, id="id").tables())
    assert (len(found["train"]), len(found["val"]), found["test"]) == (8, 2, ROWS[20:30])


def test_several_files_a_split(folder: Path) -> None:
    """Of other columns too; where no column names the rows, their file and number do."""
    pl.DataFrame({"id": ["x1", "x2"], "more": ["1", "2"]}).write_csv(folder / "more.csv")
    splits = TableSource(root=str(folder), train=["train.csv", "more.csv"], val="val.csv", test=["test.csv"], id="id").tables()
    assert ids(splits) == {"train": [*ROWS[:10], "x1", "x2"], "val": ROWS[10:20], "test": ROWS[20:30]}
    assert splits.tables["train"].frame["more"].to_list() == [None] * 10 + ["1", "2"]
    named = ids(TableSource(root=str(folder), train=["train.csv", "more.csv"], val="val.csv").tables())
    assert (named["train"][9:], named["val"][0]) == (["train.csv:10", "more.csv:1", "more.csv:2"], "1")


@pytest.mark.parametrize("seed", range(5))
def test_a_fraction_is_one_of_each_file(folder: Path, seed: int) -> None:
    pl.DataFrame({"id": [f"x{row}" for row in range(8)]}).write_csv(folder / "more.csv")
    found = ids(TableSource(root=str(folder), train=["all.csv", "more.csv"], val_fraction=0.25, split_seed=seed, id="id").tables())
    assert sorted(row for rows in found.values() for row in rows) == [*ROWS, *(f"x{row}" for row in range(8))]
    assert [sum(row.startswith("x") for row in found[split]) for split in ("train", "val")] in ([6, 2], [5, 3], [7, 1])
    assert len(found["val"]) == 12


def test_an_id_in_two_files(folder: Path) -> None:
    with pytest.raises(DataError, match=r"data\.id: '000' stands in all\.csv, row 1 and in train\.csv, row 1; give every row its own"):
        TableSource(root=str(folder), train=["all.csv", "train.csv"], val="val.csv", id="id").tables()


def test_all_problems_of_all_files_are_told(folder: Path) -> None:
    (folder / "val.csv").write_text("id\n1\n1\n")
    with pytest.raises(DataError) as error:
        TableSource(root=str(folder), train="trian.csv", val="val.csv", id="id").tables()
    assert [problem.where for problem in error.value.problems] == ["trian.csv", "val.csv, column 'id'"]
    assert "did you mean 'train.csv'?" in str(error.value)


def test_an_empty_split_is_refused(folder: Path) -> None:
    with pytest.raises(DataError, match=r"data\.val: no row of all\.csv falls to it; give it rows"):
        TableSource(root=str(folder), train="all.csv", val_fraction=0.001).tables()
    pl.DataFrame({"part": ["train", "test"]}).write_csv(folder / "all.csv")
    with pytest.raises(DataError, match=r"data\.val: no row of all\.csv falls to it"):
        TableSource(root=str(folder), train="all.csv", split_column="part").tables()


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({}, r"data\.val: no validation rows are given; give data\.val, data\.val_fraction or data\.split_column"),
        ({"val": []}, r"data\.val: names no file; name one, or leave it out"),
        ({"val": ["v.csv", "w.csv", "v.csv"]}, r"data\.val: names 'v\.csv' twice; once is enough"),
        ({"val": "v.csv", "val_fraction": 0.1}, r"data\.val_fraction: is given, though data\.val names a file"),
        ({"split_column": "part", "val": "v.csv"}, r"data\.val: is given, though data\.split_column names every row's split"),
        ({"split_column": "part", "test_fraction": 0.1}, r"data\.test_fraction: is given, though data\.split_column"),
        ({"val_fraction": 0.5, "test_fraction": 0.5}, r"data\.val_fraction: with data\.test_fraction it comes to 1; leave rows for train"),
        ({"val": "v.csv", "group": "person"}, r"data\.group: is given, but nothing is split by fraction"),
        ({"val": "v.csv", "stratify": "label"}, r"data\.stratify: is given, but nothing is split by fraction"),
        ({"val": "v.csv", "separator": "::"}, r"data\.separator: '::' is not one plain character"),
        ({"val": "v.csv", "separator": ",", "decimal": ","}, r"data\.decimal: ',' is the separator too"),
        ({"val": "v.csv", "encoding": "utf-88"}, r"data\.encoding: 'utf-88' is not known"),
    ],
)
def test_options_that_contradict_are_refused_before_any_file_is_read(options: dict[str, Any], found: str) -> None:
    with pytest.raises(ConfigError, match=found):
        TableSource(train="t.csv", **options)
