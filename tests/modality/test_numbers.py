import io
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import polars as pl
import pytest

from mmtrain.modality.cell import UnreadableError
from mmtrain.modality.numbers import content, npy_array, number_cells, numbers_in
from mmtrain.table import Table

Build = Callable[..., Table]


def npy(array: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, np.array(array))
    return file.getvalue()


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("1 2.5  -3", [1, 2.5, -3]),
        ("1;2;;4", [1, 2, np.nan, 4]),
        ("[1, 2e3, NaN]", [1, 2000, np.nan]),
        ("[1 2\n 3]", [1, 2, 3]),
        (" 7 ", [7]),
        ("null 1 None", [np.nan, 1, np.nan]),
        ([1, None, 2.5], [1, np.nan, 2.5]),
        ([[1, 2], [None, 4]], [[1, 2], [np.nan, 4]]),
        ([], []),
    ],
)
def test_numbers_in_the_cell_itself(cell: str | list[Any], expected: list[Any]) -> None:
    found = numbers_in(cell)
    assert found is not None
    np.testing.assert_array_equal(found, np.array(expected, np.float64))


@pytest.mark.parametrize("cell", ["a.npy", "series/1 2.csv", "2021_03_04", "1-2", "nan", ";", b"1 2 3"])
def test_anything_else_stands_for_a_file(cell: str | bytes) -> None:
    assert numbers_in(cell) is None


def test_a_decimal_comma() -> None:
    np.testing.assert_array_equal(numbers_in("1,5; 2,25 -3", ","), [1.5, 2.25, -3])
    assert numbers_in("1.500", ",") is None


@pytest.mark.parametrize("cell", [[1, "a"], [[1, 2], [3]], [1, [2]], {"x": 1}])
def test_cells_of_something_else(cell: Any) -> None:
    with pytest.raises(UnreadableError, match=r"^the cell holds something that is no number, or lists of several lengths$"):
        numbers_in(cell)


@pytest.mark.parametrize("kind", [pl.List(pl.Float32), pl.Array(pl.Float32, 2)])
def test_cells_of_list_columns(table: Build, kind: pl.DataType) -> None:
    rows = table(cell=pl.Series([[1.0, 2.0], None, [3.0, None]], dtype=kind))
    assert list(number_cells(rows, "cell")) == [(0, [1, 2]), (2, [3, None])]
    assert list(number_cells(table(cell=[{"x": 1}, None]), "cell")) == [(0, {"x": 1})]


def test_cells_of_other_columns(table: Build) -> None:
    assert list(number_cells(table(cell=["a.npy", None]), "cell")) == [(0, "a.npy")]
    assert list(number_cells(table(cell=[b"a", None]), "cell")) == [(0, b"a")]
    assert list(number_cells(table(cell=[1.5, None]), "cell")) == [(0, "1.5")]


def test_content_of_a_file_or_a_cell(table: Build, tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"abc")
    rows = table(cell=["a.bin"])
    assert content(rows, "a.bin") == content(rows, b"abc") == b"abc"
    with pytest.raises(UnreadableError, match=r"^'b\.bin' does not exist"):
        content(rows, "b.bin")
    with pytest.raises(UnreadableError, match=r"'\.' cannot be opened"):
        content(rows, ".")


@pytest.mark.parametrize("kind", ["int16", "float16", "bool", "uint8", ">f8"])
def test_arrays_of_any_real_type(kind: str) -> None:
    found = npy_array(npy(np.array([[0, 1]], kind)), "'a.npy'")
    assert found.dtype == np.float64
    assert found.tolist() == [[0, 1]]


@pytest.mark.parametrize(
    ("encoded", "message"),
    [
        (npy([1.0, 2.0])[:-4], r"^'a\.npy' cannot be decoded as a \.npy file: "),
        (b"\x93NUMPY", r"^'a\.npy' cannot be decoded as a \.npy file: "),
        (npy(["a", "b"]), r"^'a\.npy' holds values of type <U1, not real numbers$"),
        (npy([1j]), r"^'a\.npy' holds values of type complex128, not real numbers$"),
    ],
)
def test_broken_arrays(encoded: bytes, message: str) -> None:
    with pytest.raises(UnreadableError, match=message):
        npy_array(encoded, "'a.npy'")


def test_an_array_of_objects_is_not_unpickled() -> None:
    file = io.BytesIO()
    np.lib.format.write_array(file, np.array([{}]), allow_pickle=True)  # what a malicious file would hold
    with pytest.raises(UnreadableError, match=r"cannot be decoded as a \.npy file: Object arrays cannot be loaded"):
        npy_array(file.getvalue(), "'a.npy'")


def test_lists_are_taken_from_a_column_bit_by_bit(table: Build) -> None:
    """All at once they would take eight times the column's own memory."""
    rows = table(cell=pl.Series(np.arange(128_000, dtype=np.float64).reshape(2000, 64)))
    tracemalloc.start()
    cells = {row: cast(list[Any], cell)[0] for row, cell in number_cells(rows, "cell")}
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert cells == {row: 64 * row for row in range(2000)}
    assert peak < 2_000_000
