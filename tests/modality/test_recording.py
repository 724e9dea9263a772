import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from mmtrain.modality.cell import UnreadableError
from mmtrain.modality.recording import Layout, Recording, common_layout, read, select
from mmtrain.table import Table

Build = Callable[..., Table]
NAN = np.nan


@pytest.fixture
def reading(table: Build, tmp_path: Path) -> Callable[..., Recording]:
    """Reads a file of this content."""

    def through(text: str | bytes, name: str = "a.csv", separator: str | None = None, wanted: list[str] | None = None) -> Recording:
        (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return read(table(cell=[name]), name, separator, wanted)

    return through


Reading = Callable[..., Recording]


def recording(names: list[str], values: Any = None, *, headed: bool = True) -> Recording:
    values = np.ones((1, len(names))) if values is None else np.array(values, np.float64)
    return Recording(values, names, headed, "'a.csv'")


def test_a_file_with_a_header(reading: Reading) -> None:
    found = reading("x, y ,note\n1,2.5,a\n,-3e2,b\nNaN,4,c\n")
    assert (found.names, found.headed, found.source) == (["x", "y"], True, "'a.csv'")
    assert_array_equal(found.values, [[1, 2.5], [NAN, -300], [NAN, 4]])


@pytest.mark.parametrize(
    ("text", "name", "separator"),
    [
        ("x\ty\n1\t2\n3\t4\n", "a.tsv", None),
        ("x;y\n1;2\n3;4", "a.csv", ";"),
        ("  x   y\n 1 2  \n\n3     4\n", "a.txt", " "),
        ("\ufeffx,y\r\n1,2\r\n\r\n3,4\r\n", "a.csv", None),
        ("x,y\r1,2\r3,4", "A.CSV", None),
        ('"x","y"\n"1",2\n3,"4"\n', "a.csv", None),
        (",x,y\n0,1,2\n1,3,4\n", "a.csv", None),  # the numbers of the rows, as pandas writes them, have no name
        ("x,y,empty\n1,2,\n3,4,\n", "a.csv", None),
    ],
)
def test_ways_to_write_the_same(reading: Reading, text: str, name: str, separator: str | None) -> None:
    found = reading(text, name, separator)
    assert found.names == ["x", "y"]
    assert_array_equal(found.values, [[1, 2], [3, 4]])


@pytest.mark.parametrize("text", ["1,2\n,4\n", "1,2\nnan,4\n"])
def test_a_file_without_a_header(reading: Reading, text: str) -> None:
    found = reading(text)
    assert (found.names, found.headed) == (["1", "2"], False)
    assert_array_equal(found.values, [[1, 2], [NAN, 4]])


def test_in_a_file_of_one_channel_an_empty_line_is_a_missing_value(reading: Reading) -> None:
    assert_array_equal(reading("x\n1\n\n3\n\n").values[:, 0], [1, NAN, 3])


def test_only_what_is_wanted_is_read(reading: Reading) -> None:
    found = reading("x,note,y\n1,a,2\n", wanted=["y", "z"])
    assert found.names == ["y"]
    assert_array_equal(found.values, [[2]])


def test_a_decimal_comma(table: Build) -> None:
    rows = Table(table(cell=["-"]).frame, "rows.csv", np.array([1]), decimal=",")
    assert_array_equal(read(rows, b"x;y\n1,5;2\n", ";").values, [[1.5, 2]])


def test_arrays_and_cells(table: Build) -> None:
    rows, file = table(cell=["-"]), io.BytesIO()
    np.save(file, np.array([[1, 2], [3, 4]], np.int16))
    cases: list[tuple[Any, list[list[float]]]] = [
        (file.getvalue(), [[1, 2], [3, 4]]),
        ([[1, 2], [3, None]], [[1, 2], [3, NAN]]),
        ([1, 2], [[1], [2]]),
        ("1 2", [[1], [2]]),
    ]
    for cell, expected in cases:
        found = read(rows, cell, None)
        assert not found.headed
        assert found.names == ["1", "2"][: len(expected[0])]
        assert_array_equal(found.values, np.array(expected, np.float64))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x,y\n1,2\n3\n", "^'a.csv', row 2: 1 cells where its first line has 2$"),
        ("x,y\n1,2,3\n", "^'a.csv', row 1: 3 cells where its first line has 2$"),
        ("x,y\n1,2\n3,b\n", "^'a.csv', row 2, column 'y': found 'b', which is no number$"),
        ("x,y\n1,inf\n", "^'a.csv', row 1, column 'y': found 'inf', which is no number$"),
        ("x,x,y\n1,2,3\n", "^'a.csv' has two columns of one name: x, x, y$"),
        ("x,y\n", "^'a.csv' holds no steps$"),
        (b"x,y\n1,\xff\n", r"^'a.csv' is no UTF-8 text \(byte 0xff\)$"),
        (b"", "^'a.csv' is empty$"),
        ('x,y\n1,2\n"3",4,5\n', "^'a.csv' cannot be parsed: "),
    ],
)
def test_broken_files(reading: Reading, text: str | bytes, message: str) -> None:
    with pytest.raises(UnreadableError, match=message):
        reading(text, wanted=["x", "y"])


def test_a_separator_that_nobody_told(reading: Reading) -> None:
    message = r"^'a\.dat' is neither \.npy nor \.csv, \.tsv, \.tab: what separates its columns has to be told \(`separator`\)$"
    with pytest.raises(UnreadableError, match=message):
        reading("x y\n1 2\n", "a.dat")


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ([[[1.0]]], "^the series in the cell has 3 dimensions, where a series has one or two: steps, and channels$"),
        ([1.0, float("inf")], "^the series in the cell holds values that are not finite numbers$"),
        ("gone.csv", "^'gone.csv' does not exist"),
    ],
)
def test_cells_that_are_no_series(table: Build, cell: Any, message: str) -> None:
    with pytest.raises(UnreadableError, match=message):
        read(table(cell=["-"]), cell, None)


def test_the_channels_are_those_of_most_files() -> None:
    files = [recording(["x", "y", "odd"]), recording(["y", "x"]), recording(["x", "y", "z"]), recording(["x"])]
    assert common_layout(files) == Layout(["x", "y"], None)


def test_nameless_series_have_as_many_channels_as_most() -> None:
    files = [recording(["1", "2"], headed=False), recording(["1", "2"], headed=False), recording(["1"], headed=False)]
    assert common_layout(files) == Layout(["1", "2"], 2)
    assert common_layout([*files, recording(["x"])]) == Layout(["1", "2"], 2)
    assert common_layout([files[0], recording(["x"]), recording(["x"])]) == Layout(["x"], 2)


def test_channels_in_the_order_of_train() -> None:
    found = select(recording(["y", "odd", "x"], [[1, 2, 3]]), Layout(["x", "y", "z"], None))
    assert_array_equal(found, [[3, 1, NAN]])


@pytest.mark.parametrize(
    ("found", "layout", "message"),
    [
        (recording(["1"], headed=False), Layout(["1", "2"], 2), "^'a.csv' has 1 channels, where those of train have 2$"),
        (recording(["a", "b"]), Layout(["x", "y"], None), "^'a.csv' has none of the channels x, y; it has a, b$"),
        (recording([]), Layout(["x"], None), "^'a.csv' has none of the channels x; it has none$"),
        (recording(["x", "y"], [[NAN, NAN]]), Layout(["x", "y"], None), "^'a.csv' holds no number$"),
    ],
)
def test_series_of_another_layout(found: Recording, layout: Layout, message: str) -> None:
    with pytest.raises(UnreadableError, match=message):
        select(found, layout)
