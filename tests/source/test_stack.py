"""Several files as one table."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from mmtrain.errors import DataError
from mmtrain.source.stack import stacked, stacked_ids
from mmtrain.table import Table


def table(columns: dict[str, Any], file: str, root: Path | None = None) -> Table:
    frame = pl.DataFrame(columns)
    return Table(frame, file, np.arange(1, frame.height + 1), root)


def told(*tables: Table) -> list[str]:
    with pytest.raises(DataError) as error:
        stacked(tables, "data.train")
    return [str(problem) for problem in error.value.problems]


def test_columns_of_all_with_gaps() -> None:
    both = stacked([table({"x": ["1", "2"], "a": ["p", None]}, "a.csv"), table({"b": ["q"], "x": ["3"]}, "b.csv")], "data.train")
    assert both.frame.to_dict(as_series=False) == {"x": ["1", "2", "3"], "a": ["p", None, None], "b": [None, None, "q"]}
    assert both.file == "a.csv + b.csv"
    assert [both.place(row) for row in range(3)] == ["a.csv, row 1", "a.csv, row 2", "b.csv, row 1"]
    some = both.take(np.array([2, 0]))
    assert [some.place(row) for row in range(2)] == ["b.csv, row 1", "a.csv, row 1"]


def test_a_bad_cell_names_its_own_file() -> None:
    both = stacked([table({"x": ["1"]}, "a.csv"), table({"x": ["2", "three"]}, "b.csv")], "data.train")
    assert np.isnan(both.floats("x")).tolist() == [False, False, True]
    assert str(both.bad[0]).startswith("b.csv, row 2, column 'x': found 'three'")


def test_one_file_stays_as_it_is() -> None:
    only = table({"x": ["1"]}, "a.csv")
    assert stacked([only], "data.train") is only


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ([1, 2], [0.5], pl.Float64),
        ([None], ["a"], pl.String),
        ([["a"], ["b"]], [[]], pl.List(pl.String)),
        ([[1]], [[0.5]], pl.List(pl.Float64)),
    ],
)
def test_types_that_go_together(one: Sequence[Any], other: Sequence[Any], together: pl.DataType) -> None:
    for first, second in ((one, other), (other, one)):
        both = stacked([table({"x": first}, "a.jsonl"), table({"x": second}, "b.jsonl")], "data.train")
        assert both.frame.schema["x"] == together
        assert both.frame["x"].null_count() == [*one, *other].count(None)


def test_types_that_do_not() -> None:
    fix = "write both in the same way, or rename one"
    assert told(table({"x": [None], "y": [1]}, "a.pq"), table({"x": [True], "y": ["1"]}, "b.pq"), table({"x": ["yes"]}, "c.csv")) == [
        f"column 'y': is of type Int64 in a.pq, and of type String in b.pq; {fix}",
        f"column 'x': is of type Boolean in b.pq, and of type String in c.csv; {fix}",
    ]
    assert told(table({"x": [["a"]]}, "a.jsonl"), table({"x": [[1]]}, "b.jsonl")) == [
        f"column 'x': is of type List(String) in a.jsonl, and of type List(Int64) in b.jsonl; {fix}"
    ]


def test_folders_that_differ() -> None:
    assert told(table({"x": ["1"]}, "a.csv", Path("one")), table({"x": ["1"]}, "b.csv", Path("two"))) == [
        "data.train: its files lie in different folders; set data.root, where paths in cells start"
    ]


def test_ids() -> None:
    tables = [table({"id": ["1", "2"]}, "a.csv"), table({"id": ["3"]}, "b.csv")]
    paths = [Path("a.csv"), Path("b.csv")]
    assert stacked_ids(tables, [["1", "2"], ["3"]], "id", paths) == ["1", "2", "3"]
    assert stacked_ids(tables[:1], [["1", "2"]], None, paths[:1]) == ["1", "2"]
    with pytest.raises(DataError) as error:
        stacked_ids(tables, [["1", "2"], ["2"]], "id", paths)
    assert [str(problem) for problem in error.value.problems] == [
        "data.id: '2' stands in a.csv, row 2 and in b.csv, row 1; give every row its own, or leave data.id out"
    ]


@pytest.mark.parametrize("above", ["", "here", "../here", "/somewhere/else"])
@pytest.mark.parametrize("files", [("a.csv", "b.csv"), ("a/t.csv", "b/t.csv")])
def test_rows_are_called_alike_wherever_their_files_lie(above: str, files: tuple[str, str]) -> None:
    tables = [table({"x": ["7", "8"]}, "a.csv"), table({"x": ["9"]}, "b.csv")]
    found = stacked_ids(tables, [["1", "2"], ["1"]], None, [Path(above, file) for file in files])
    assert found == [f"{files[0]}:1", f"{files[0]}:2", f"{files[1]}:1"]
