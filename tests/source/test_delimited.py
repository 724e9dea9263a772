"""CSV as text, and every malformed row named."""

import numpy as np
import pytest

from mmtrain.errors import DataError
from mmtrain.source import delimited
from mmtrain.source.delimited import parse


def rows_of(text: str, separator: str = ",") -> list[tuple[str | None, ...]]:
    frame, _ = parse(text.encode(), "rows.csv", separator)
    return frame.rows()


def test_cells_stay_text() -> None:
    assert rows_of("a,b\n007,True\nNA,null\n 1 ,NaN\n1e5,2024-01-31\n") == [
        ("007", "True"),
        ("NA", "null"),
        (" 1 ", "NaN"),
        ("1e5", "2024-01-31"),
    ]


def test_an_empty_cell_is_null_also_in_quotes_or_not() -> None:
    assert [[cell or None for cell in row] for row in rows_of('a,b\n1,\n"",2\n')] == [["1", None], [None, "2"]]


def test_quotes_hold_separators_line_breaks_and_quotes() -> None:
    assert rows_of('a,b\n"x, y","line\nbreak"\n"say ""ah""",2\n') == [("x, y", "line\nbreak"), ('say "ah"', "2")]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_line_ends_of_every_system(ending: str) -> None:
    assert rows_of(ending.join(["a,b", "1,2", "3,4", ""])) == [("1", "2"), ("3", "4")]


def test_a_last_line_needs_no_end() -> None:
    assert rows_of("a,b\n1,2\n3,4") == [("1", "2"), ("3", "4")]


def test_other_separators() -> None:
    assert rows_of("a;b\n1,5;x\n", ";") == [("1,5", "x")]
    assert rows_of("a\tb\nx y\tz, w\n", "\t") == [("x y", "z, w")]


def test_blank_lines_are_skipped_but_counted() -> None:
    frame, numbers = parse(b"\n\na,b\n1,2\n\n3,4\n\n", "rows.csv", ",")
    assert frame.rows() == [("1", "2"), ("3", "4")]
    np.testing.assert_array_equal(numbers, [1, 3])


def test_in_a_single_column_a_blank_line_is_an_empty_cell() -> None:
    assert [cell or None for (cell,) in rows_of("a\nx\n\ny\n")] == ["x", None, "y"]


def test_names_of_columns_may_be_anything() -> None:
    long = "é" * 200
    frame, _ = parse(f'"a, b",c.d,{long},Größe [cm]\n1,2,3,4\n'.encode(), "rows.csv", ",")
    assert frame.columns == ["a, b", "c.d", long, "Größe [cm]"]


def test_a_column_name_that_stands_twice_is_named() -> None:
    with pytest.raises(DataError, match=r"rows\.csv: two columns are called 'a'; rename one"):
        parse(b"a,b,a\n1,2,3\n", "rows.csv", ",")


@pytest.mark.parametrize(("text", "row", "cells"), [("a,b\n1,2\n3\n", 2, 1), ("a,b\n1,2,3\n4,5\n", 1, 3), ('a,b\n"x\ny",1\n2\n', 2, 1)])
def test_a_row_of_another_length_is_named(text: str, row: int, cells: int) -> None:
    with pytest.raises(DataError, match=rf"rows\.csv, row {row}: {cells} cells where the header has 2"):
        parse(text.encode(), "rows.csv", ",")


@pytest.mark.parametrize("letters", [1, 2, 3, 7, 2**24])
def test_rows_are_counted_right_across_blocks(letters: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "BLOCK", letters)
    cells, blank = delimited._shape(b'a,b\n"x, y","line\nbreak"\r\n\r\n"say ""ah""",2,3\n\n1', ",")
    assert cells.tolist() == [2, 2, 1, 3, 1, 1]
    assert blank.tolist() == [False, False, True, False, True, False]


def test_of_many_ragged_rows_the_first_ten_are_named() -> None:
    with pytest.raises(DataError) as error:
        parse(b"a,b\n" + b"1\n" * 30, "rows.csv", ",")
    assert len(error.value.problems) == 10


@pytest.mark.parametrize("text", ['a,b\n"x,2\n3,4\n', 'a,b\n5" pipe,1\n2,3\n'])
def test_a_quote_that_is_never_closed_is_no_table(text: str) -> None:
    with pytest.raises(DataError, match=r"rows\.csv.*quote"):
        parse(text.encode(), "rows.csv", ",")
