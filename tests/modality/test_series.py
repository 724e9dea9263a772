import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.testing import assert_allclose

from mmtrain.batch import Series
from mmtrain.errors import DataError
from mmtrain.modality import Modality, SeriesModality, recording, series
from mmtrain.spec import SeriesSpec
from mmtrain.table import Table

Build = Callable[..., Table]
Through = Callable[[Modality, Table], Any]


@pytest.fixture
def rows(table: Build, tmp_path: Path) -> Callable[..., Table]:
    """A table whose cells name files of these contents; None is an empty cell."""

    def build(*contents: str | None) -> Table:
        cells = [None if content is None else f"{number}.csv" for number, content in enumerate(contents)]
        for cell, content in zip(cells, contents, strict=True):
            if cell is not None and content is not None:
                (tmp_path / cell).write_text(content)
        return table(series=pl.Series(cells, dtype=pl.String))

    return build


def fitted(table: Table, **options: Any) -> SeriesModality:
    modality = SeriesModality(column="series", **options)
    modality.fit(table)
    return modality


FIRST, SECOND = "t,x,y\n0,1,5\n1,,5\n2,3,5\n", "y,x,t\n5,8,0\n"


def test_steps_are_scaled_padded_and_known(rows: Build, inputs: Through) -> None:
    table = rows(FIRST, None, SECOND)
    modality = fitted(table, time="t")
    found = inputs(modality, table)
    assert isinstance(found, Series)
    assert modality.spec == SeriesSpec(2)
    assert found.mask.tolist() == [[True, True, True], [False] * 3, [True, False, False]]
    assert found.known[0].tolist() == [[True, True], [False, True], [True, True]]
    assert found.known[1:].sum(1).tolist() == [[0, 0], [1, 1]]
    mean, deviation = 4, float(np.std([1, 3, 8]))
    assert_allclose(found.values[0, :, 0], [(1 - mean) / deviation, 0, (3 - mean) / deviation], rtol=1e-6)
    assert_allclose(found.values[2, :, 0], [(8 - mean) / deviation, 0, 0], rtol=1e-6)
    assert not found.values[:, :, 1].any()  # y is the same everywhere: it says nothing


def test_chosen_channels_in_the_chosen_order(rows: Build) -> None:
    modality = fitted(rows(FIRST, SECOND), channels=["y", "t"])
    assert modality.state()["channels"] == ["y", "t"]
    assert SeriesModality(column="series", channels=["y"]).recipe != modality.recipe


def test_a_series_in_time(rows: Build, inputs: Through) -> None:
    """Steps are put in order and evenly spaced by the clock; one whose time is not known is left out."""
    table = rows("t,x\n3,30\n0,0\n,99\n1,10\n", "t,x\n5,7\n")
    found = inputs(fitted(table, time="t", resample=4, channels=["x"]), table).values[:, :, 0]
    mean, deviation = np.mean([0, 10, 20, 30, 7, 7, 7, 7]), np.std([0, 10, 20, 30, 7, 7, 7, 7])
    assert_allclose(found[0] * deviation + mean, [0, 10, 20, 30], atol=1e-4)
    assert_allclose(found[1] * deviation + mean, [7] * 4, rtol=1e-5)


def test_options_in_their_order(rows: Build, inputs: Through) -> None:
    """Resampled (from all steps), levelled, then the changes."""
    table = rows("x\n1\n3\n5\n", "x\n2\n2\n2\n2\n")
    modality = fitted(table, max_steps=2, resample=5, per_row="centre", differences=True)
    found = inputs(modality, table)
    assert modality.spec == SeriesSpec(2)
    assert not found.known[:, 0, 1].any()
    levels, changes = np.array([[-2, -1, 0, 1, 2], [0] * 5]), np.array([[1] * 4, [0] * 4])
    assert_allclose(found.values[:, :, 0], levels / np.std(levels), atol=1e-6)
    assert_allclose(found.values[:, 1:, 1], (changes - np.mean(changes)) / np.std(changes), atol=1e-6)


def test_the_first_steps_are_kept(rows: Build, inputs: Through) -> None:
    table = rows("x\n1\n3\n100\n", "x\n1\n")
    found = inputs(fitted(table, max_steps=2), table)
    assert found.mask.tolist() == [[True, True], [True, False]]
    assert_allclose(found.values[0, :, 0], (np.array([1, 3]) - 5 / 3) / np.std([1, 3, 1]), rtol=1e-6)


def test_lists_and_text(table: Build, inputs: Through) -> None:
    for cells in ([[1.0, 2.0, None], None, [4.0]], ["1 2 nan", None, "4"]):
        rows = table(series=cells)
        found = inputs(fitted(rows), rows)
        assert found.known[:, :, 0].tolist() == [[True, True, False], [False] * 3, [True, False, False]]
        assert found.mask.tolist() == [[True] * 3, [False] * 3, [True, False, False]]


def test_steps_with_several_channels_in_a_list(table: Build, inputs: Through) -> None:
    rows = table(series=[[[1, 10], [2, 20]], [[3, None]]])
    found = inputs(fitted(rows, scaling="quantile"), rows)
    assert found.values.shape == (2, 2, 2)
    assert found.known[1].tolist() == [[True, False], [False, False]]


def test_a_constant_channel_stays_unknown_where_it_is(rows: Build, inputs: Through) -> None:
    table = rows("x,y\n1,\n2,5\n")
    assert inputs(fitted(table), table).known[0, :, 1].tolist() == [False, True]


def test_what_cannot_be_read_is_told_and_absent(rows: Build) -> None:
    modality = fitted(rows(FIRST, SECOND), time="t")
    table = rows("t,x\n0,a\n", "t,b\n1,2\n", "x,t\n1,2\n", "t,x\n3,2\n", "t,x\n0,1\n")
    arrays, present = modality.encode(table)
    assert present.tolist() == [False, False, True, True, True]
    assert [len(row) for row in arrays["values"]] == [0, 0, 2, 2, 2]
    assert [problem.where for problem in table.bad] == ["rows.csv, row 1, column 'series'", "rows.csv, row 2, column 'series'"]
    assert [problem.found for problem in table.bad] == [
        "'0.csv', row 1, column 'x': found 'a', which is no number",
        "'1.csv' has none of the channels x, y; it has t",
    ]


def test_a_series_without_its_clock(rows: Build) -> None:
    modality = fitted(rows(FIRST, SECOND), time="t", resample=3)
    table = rows("x,y\n1,2\n", "t,x\n,2\n")
    assert not modality.encode(table)[1].any()
    assert [problem.found for problem in table.bad] == ["'0.csv' has no channel 't'; it has x, y", "'1.csv' holds no number in 't'"]


def test_broken_train_files_do_not_stop_it(rows: Build) -> None:
    assert fitted(rows(FIRST, SECOND, "t,x\n0,a\n", "nothing\n")).state()["channels"] == ["t", "x", "y"]


@pytest.mark.parametrize(
    ("contents", "options", "message"),
    [
        ([None], {}, "^rows.csv, column 'series': no train row has a series; is it the right column\\?$"),
        (["x\n"], {}, "^rows.csv, row 1, column 'series': '0.csv' holds no steps$"),
        (
            [FIRST],
            {"channels": ["x", "z"]},
            r"^rows.csv, column 'series': none of the train series that were read \(1\) has a channel 'z'; ",
        ),
        ([FIRST], {"time": "time"}, r"^rows.csv, column 'series': none of the train series that were read \(1\) has a channel 'time'; "),
        (["note\na\n"], {}, "^rows.csv, column 'series': no column of numbers is in more than half of the train files; name some"),
    ],
)
def test_train_rows_that_show_no_channel(rows: Build, contents: list[str | None], options: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        fitted(rows(*contents), **options)


def test_scales_are_measured_on_some_steps_of_each_series(rows: Build) -> None:
    """A series of many steps counts no more than its share, and takes no more memory."""
    modality = fitted(rows("x\n" + "0\n" * 1500, "x\n" + "1\n" * 500))
    assert modality.state()["scales"] == [{"mean": 0.5, "deviation": 0.5}]


def test_at_most_two_thousand_train_series_are_read(table: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    """Evenly spaced among those that are there: the first ones alone would show another mean."""
    read, cells = list[str](), [word for number in range(5000) for word in (str(number), None)]

    def noted(table: Table, cell: str, *others: Any) -> recording.Recording:
        read.append(cell)
        return recording.read(table, cell, *others)

    monkeypatch.setattr(series, "read", noted)
    modality = fitted(table(series=cells))
    assert (len(read), read[0], read[-1]) == (2000, "0", "4999")
    assert modality.state()["scales"][0]["mean"] == pytest.approx(2499.5, abs=0.5)


def test_without_resampling_steps_are_in_the_order_of_time_too(rows: Build, inputs: Through) -> None:
    table = rows("t,x\n3,30\n0,0\n,99\n1,10\n", "t,x\n5,20\n")
    found = inputs(fitted(table, time="t", max_steps=2), table)
    assert found.mask.tolist() == [[True, True], [True, False]]
    mean, deviation = np.mean([0, 10, 20]), np.std([0, 10, 20])
    assert_allclose(found.values[found.mask][:, 0] * deviation + mean, [0, 10, 20], atol=1e-5)


@pytest.mark.skipif("MMTRAIN_DATA" not in os.environ, reason="MMTRAIN_DATA names no folder of real data")
def test_real_recordings(inputs: Through) -> None:
    root = Path(os.environ["MMTRAIN_DATA"]) / "arem"
    frame = pl.read_csv(root / "val.csv", infer_schema=False)
    rows = Table(frame, "val.csv", np.arange(1, len(frame) + 1), root)
    modality = fitted(rows, time="time_ms")
    assert modality.state()["channels"] == ["avg_rss12", "var_rss12", "avg_rss13", "var_rss13", "avg_rss23", "var_rss23"]
    found = inputs(modality, rows)
    assert rows.bad == []
    assert found.mask.sum(1).tolist() == frame["steps"].cast(pl.Int64).to_list()
    raw = np.concatenate([np.loadtxt(root / name, delimiter=",", skiprows=1)[:, 1:] for name in frame["series"]])
    expected = (raw - raw.mean(0)) / raw.std(0)
    assert_allclose(found.values[found.mask], expected, atol=0.02)
