"""Cells as text, as numbers and as paths; what cannot be read is named by row, column and file."""

import datetime
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from mmtrain.errors import DataError
from mmtrain.table import Table


def table_of(cells: Any, **options: Any) -> Table:
    return Table(pl.DataFrame({"cell": cells}), "rows.csv", np.arange(1, len(cells) + 1), **options)


def test_text_is_composed_and_typed_cells_become_text() -> None:
    assert table_of([unicodedata.normalize("NFD", "é"), "007", None]).text("cell") == ["é", "007", None]
    assert table_of([1, None]).text("cell") == ["1", None]
    assert table_of([True, False]).text("cell") == ["true", "false"]


@pytest.mark.parametrize("kind", [pl.Float32, pl.Float64])
def test_a_whole_float_is_written_as_the_integer_that_it_is(kind: pl.DataType) -> None:
    cells = [1.0, None, -2.0, -0.0, 0.5, 10.0, 16777216.0]
    assert table_of(pl.Series(cells, dtype=kind)).text("cell") == ["1", None, "-2", "0", "0.5", "10", "16777216"]
    assert table_of([1, -2, 0, 10, 16777216]).text("cell") == ["1", "-2", "0", "10", "16777216"]


def test_floats_that_no_integer_holds_keep_their_own_text() -> None:
    assert table_of([2.0**53, 1e300, 1e-7]).text("cell") == ["9007199254740992", "1e+300", "1e-7"]
    assert table_of(["1.0", "1"]).text("cell") == ["1.0", "1"]  # text stays the user's own


@pytest.mark.parametrize(
    "cells",
    [
        pl.Series([["a"], None]),
        pl.Series([[1.0], [2.0]], dtype=pl.Array(pl.Float64, 1)),
        pl.Series([{"a": 1}]),
        pl.Series([b"a"]),
        pl.Series([b"\xff"]),
        pl.Series([datetime.timedelta(1)]),
    ],
    ids=lambda cells: str(cells.dtype),
)
def test_a_column_of_a_type_that_cannot_be_read_is_told(cells: pl.Series) -> None:
    table = table_of(cells)
    for wanted, read in (("text", table.text), ("numbers", table.floats), ("dates", table.times)):
        with pytest.raises(DataError) as error:
            read("cell")
        assert str(error.value) == (
            f"rows.csv, column 'cell': its cells are of type {cells.dtype}, which cannot be read as {wanted}; "
            "name another column, or write this one otherwise"
        )


@pytest.mark.parametrize(
    ("cells", "decimal", "numbers"),
    [
        (["1.5", " 2 ", "-3e2", None], ".", [1.5, 2, -300, np.nan]),
        (["1,5", "-,5", "1e3"], ",", [1.5, -0.5, 1000]),
        ([1, None, 3], ".", [1, np.nan, 3]),
        ([1.5, float("nan")], ".", [1.5, np.nan]),
        ([None, None], ".", [np.nan, np.nan]),
    ],
)
def test_numbers(cells: Any, decimal: str, numbers: list[float]) -> None:
    table = table_of(cells, decimal=decimal)
    np.testing.assert_array_equal(table.floats("cell"), numbers)
    assert table.bad == []


@pytest.mark.parametrize(
    ("cell", "decimal"), [("abc", "."), ("1,5", "."), ("1.500", ","), ("nan", "."), ("inf", "."), ("", "."), ("1 2", ".")]
)
def test_what_is_no_number_is_rejected(cell: str, decimal: str) -> None:
    table = table_of(["1", cell], decimal=decimal)
    assert np.isnan(table.floats("cell")[1])
    assert [str(problem) for problem in table.bad] == [f"rows.csv, row 2, column 'cell': found '{cell}', which is no number"]


@pytest.mark.parametrize(
    ("cell", "time"),
    [
        ("2024-01-31", "2024-01-31T00:00"),
        (" 2024-01-31 ", "2024-01-31T00:00"),
        ("2024-02-29T23:59", "2024-02-29T23:59"),
        ("2024-01-31 10:20:30.25", "2024-01-31T10:20:30.25"),
        ("2024-01-31T10:20Z", "2024-01-31T10:20"),  # the clock on the wall there
        ("2024-01-31 10:20:00+01:00", "2024-01-31T10:20"),
        ("0001-01-01", "0001-01-01T00:00"),
        (datetime.date(2024, 1, 31), "2024-01-31T00:00"),
        (datetime.datetime(2024, 1, 31, 10, 20), "2024-01-31T10:20"),
        (datetime.datetime(2024, 1, 31, 10, 20, tzinfo=datetime.UTC), "2024-01-31T10:20"),
        (None, "NaT"),
    ],
)
def test_times(cell: Any, time: str) -> None:
    table = table_of([cell, None])
    found = table.times("cell")
    assert found.dtype == "M8[us]"
    np.testing.assert_array_equal(found, np.array([time, "NaT"], "M8[us]"))
    assert table.bad == []


@pytest.mark.parametrize(
    "cell", ["2023-02-29", "31.01.2024", "01-02-03", "20240131", "10:20", "2024-01-31T10", "2024-01-31-05", "soon", ""]
)
def test_what_is_no_date_is_rejected(cell: str) -> None:
    table = table_of(["2024-01-31", cell])
    assert np.isnat(table.times("cell")).tolist() == [False, True]
    expected = f"rows.csv, row 2, column 'cell': found '{cell}', which is no date in YYYY-MM-DD or YYYY-MM-DD hh:mm:ss; "
    expected += "date_format may name another form"
    assert [str(problem) for problem in table.bad] == [expected]


def test_a_number_or_a_time_alone_is_no_date() -> None:
    for cell in (2024, datetime.time(10, 20)):
        table = table_of([cell])
        assert np.isnat(table.times("cell")).all()
        assert len(table.bad) == 1


def test_dates_in_a_form_of_their_own() -> None:
    table = table_of(["31.1.2024", "2024-01-31", None])
    np.testing.assert_array_equal(table.times("cell", "%d.%m.%Y"), np.array(["2024-01-31", "NaT", "NaT"], "M8[us]"))
    assert [problem.found for problem in table.bad] == ["found '2024-01-31', which is no date in the form '%d.%m.%Y'"]


def test_most_rows_in_their_order_are_the_same_rows() -> None:
    table = table_of(["a", None, "c", "d"])
    for rows in ([0, 1, 3], [3, 1, 0], [0, 0, 1, 2, 3], [1], []):
        part = table.take(np.array(rows, np.int64))
        assert part.text("cell") == [["a", None, "c", "d"][row] for row in rows]
        assert part.numbers.tolist() == [row + 1 for row in rows]


def test_rows_keep_their_numbers_and_report_to_the_table_they_came_from() -> None:
    table = table_of(["a", "b", "c", "d"])
    part = table.take(np.array([3, 1]))
    assert part.text("cell") == ["d", "b"]
    part.reject(0, "cell", "found d")
    assert [str(problem) for problem in table.bad] == ["rows.csv, row 4, column 'cell': found d"]


def test_paths_start_at_the_root_with_either_slash(tmp_path: Path) -> None:
    table = table_of(["a"], root=tmp_path)
    assert table.path("images/1.png") == table.path("images\\1.png") == tmp_path / "images" / "1.png"
    assert table.path(str(tmp_path / "1.png")) == tmp_path / "1.png"
    assert table_of(["a"]).path("1.png") == Path("1.png")
