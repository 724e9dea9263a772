"""Cells as text, as numbers and as paths; what cannot be read is named by row, column and file."""

import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from mmtrain.table import Table


def table_of(cells: Any, **options: Any) -> Table:
    return Table(pl.DataFrame({"cell": cells}), "rows.csv", np.arange(1, len(cells) + 1), **options)


def test_text_is_composed_and_typed_cells_become_text() -> None:
    assert table_of([unicodedata.normalize("NFD", "é"), "007", None]).text("cell") == ["é", "007", None]
    assert table_of([1, None]).text("cell") == ["1", None]
    assert table_of([True, False]).text("cell") == ["true", "false"]


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
