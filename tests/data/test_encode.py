"""Chunks come in the order of the rows, however long each takes."""

import io
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from mmtrain.data import encode
from mmtrain.data.encode import CELL_ROWS, ROWS, encode_chunks, progress
from mmtrain.table import Table


class Slow:
    """Encodes a row's number; the earlier a chunk, the longer it takes. Multiples of 100 cannot be read."""

    def __init__(self, *, fails: bool = False, files: bool = True) -> None:
        self.fails, self.files = fails, files
        self.calls = 0

    def encode(self, table: Table) -> tuple[dict[str, np.ndarray | list[np.ndarray]], np.ndarray]:
        self.calls += 1
        numbers = table.frame["n"].to_numpy()
        time.sleep(0.02 if numbers[0] < ROWS else 0)
        if self.fails:
            raise RuntimeError("broken part")
        for row in np.flatnonzero(numbers % 100 == 0).tolist():
            table.reject(row, "n", f"found {numbers[row]}")
        return {"n": numbers, "twice": [np.array([n, n]) for n in numbers]}, numbers % 100 != 0


@pytest.fixture(autouse=True)
def _three_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 3)


@pytest.fixture
def table(make_table: Callable[..., Table]) -> Table:
    return make_table({"n": np.arange(1, 4 * ROWS + 6)})


def test_rows_and_problems_keep_their_order(table: Table) -> None:
    found: list[int] = []
    part: Any = Slow()
    chunks = list(encode_chunks(part, table, found.append))
    assert found == [ROWS] * 4 + [5]
    np.testing.assert_array_equal(np.concatenate([chunk.arrays["n"] for chunk in chunks]), np.arange(1, 4 * ROWS + 6))
    bad = [problem.where for chunk in chunks for problem in chunk.bad]
    assert bad == [f"rows.csv, row {row}, column 'n'" for row in range(100, 4 * ROWS + 6, 100)]
    assert table.bad == []


def test_cells_without_files_are_read_many_at_a_time(make_table: Callable[..., Table]) -> None:
    part: Any = Slow(files=False)
    found: list[int] = []
    list(encode_chunks(part, make_table({"n": np.arange(1, 4 * CELL_ROWS + 6)}), found.append))
    assert found == [CELL_ROWS] * 4 + [5]


def test_few_rows_are_for_all_cores(make_table: Callable[..., Table]) -> None:
    part: Any = Slow()
    chunks = [chunk.arrays["n"] for chunk in encode_chunks(part, make_table({"n": np.arange(1, 9)}), lambda _: None)]
    assert [np.asarray(chunk).tolist() for chunk in chunks] == [[1, 2, 3], [4, 5, 6], [7, 8]]


def test_what_is_not_present_has_no_length(table: Table) -> None:
    part: Any = Slow()
    chunks = list(encode_chunks(part, table, lambda _: None))
    lengths = [len(vector) for chunk in chunks for vector in chunk.arrays["twice"]]
    assert [row for row, length in enumerate(lengths, 1) if length == 0] == list(range(100, 4 * ROWS + 6, 100))


def test_a_failure_ends_it_without_doing_the_rest(make_table: Callable[..., Table]) -> None:
    part: Any = Slow(fails=True)
    with pytest.raises(RuntimeError, match="broken part"):
        list(encode_chunks(part, make_table({"n": np.arange(200 * ROWS)}), lambda _: None))
    assert part.calls < 100


def test_a_bar_shows_rows_rate_and_time_left_on_a_terminal_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with progress("picture of rows.csv", 10, show=True) as done:
        done(10)
    assert capsys.readouterr() == ("", "")
    terminal = Console(file=io.StringIO(), force_terminal=True, width=120)
    monkeypatch.setattr(encode, "Console", lambda **_: terminal)
    with progress("picture of rows.csv", 10, show=True) as done:
        done(4)
        done(3)
    assert isinstance(terminal.file, io.StringIO)
    shown = terminal.file.getvalue()
    for part in ("picture of rows.csv", "7/10", "rows/s", "0:00:0"):
        assert part in shown
