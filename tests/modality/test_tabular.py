import datetime
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest

from mmtrain.data.store import Fixed
from mmtrain.errors import ConfigError
from mmtrain.modality import Modality, TabularModality
from mmtrain.spec import TabularSpec
from mmtrain.table import Table

Build = Callable[..., Table]


def test_numbers_are_scaled_by_train(table: Build) -> None:
    modality = TabularModality(numeric=["age"], scaling="standard")
    modality.fit(table(age=["1", "3", None]))  # mean 2, deviation 1
    arrays, present = modality.encode(table(age=["4", " 2e0 ", None, "-0.5"]))
    np.testing.assert_array_equal(arrays["numeric"], np.array([[2], [0], [0], [-2.5]], np.float32))
    np.testing.assert_array_equal(arrays["known"], [[True], [True], [False], [True]])
    assert present.tolist() == [True, True, False, True]


def test_categories_are_coded_as_text(table: Build) -> None:
    modality = TabularModality(categorical=["code"])
    modality.fit(table(code=["007", "True", "7", None, "NA"]))
    arrays, _ = modality.encode(table(code=["007", "7", None, "8", "NA", "True"]))
    assert np.asarray(arrays["categorical"]).T.tolist() == [[2, 3, 0, 1, 4, 5]]
    assert modality.spec == TabularSpec(numeric=0, cardinalities=(6,))


def test_typed_columns_are_read(table: Build) -> None:
    modality = TabularModality(numeric=["count", "flag"], categorical=["day", "count"], scaling="standard")
    rows = table(count=[1, 3], flag=[True, False], day=[datetime.date(2024, 2, 29), None])
    modality.fit(rows)
    arrays, _ = modality.encode(rows)
    assert np.asarray(arrays["numeric"]).tolist() == [[-1, 1], [1, -1]]
    assert modality.state()["categorical"] == {"day": ["2024-02-29"], "count": ["1", "3"]}
    assert modality.columns == ["count", "flag", "day", "count"]


def test_a_row_is_absent_when_all_its_cells_are_missing(table: Build) -> None:
    modality = TabularModality(numeric=["a"], categorical=["b"])
    rows = table(a=["1", None, None, None], b=[None, "x", None, "unseen"])
    modality.fit(rows.take(slice(0, 3)))
    assert modality.encode(rows)[1].tolist() == [True, True, False, True]


@pytest.mark.parametrize("cell", ["abc", "1,5", "12%", "nan", "inf", "-Infinity", "0x10", "1 2", "true"])
def test_what_is_no_number_is_told_and_missing(table: Build, cell: str) -> None:
    modality = TabularModality(numeric=["age", "size"])
    modality.fit(table(age=["1", "2", cell], size=["1", "2", "3"]))
    rows = table(age=["1", cell], size=[None, "5"])
    arrays, present = modality.encode(rows)
    assert [str(problem) for problem in rows.bad] == [f"rows.csv, row 2, column 'age': found '{cell}', which is no number"]
    np.testing.assert_array_equal(arrays["known"], [[True, False], [False, True]])
    assert present.all()


def test_a_decimal_comma(table: Build) -> None:
    modality = TabularModality(numeric=["x"], scaling="standard")
    rows = replace(table(x=["1,5", "4,5"]), decimal=",")
    modality.fit(rows)
    assert modality.state()["numeric"] == {"x": {"mean": 3.0, "deviation": 1.5}}
    assert np.asarray(modality.encode(rows)[0]["numeric"]).tolist() == [[-1], [1]]


def test_nan_in_a_typed_column_is_missing(table: Build) -> None:
    """Many writers have no other way to store a missing number; infinity is a mistake all the same."""
    modality = TabularModality(numeric=["x"])
    rows = table(x=pl.Series([1.0, float("nan"), None, float("inf")]))
    modality.fit(rows)
    arrays, _ = modality.encode(rows)
    assert np.asarray(arrays["known"])[:, 0].tolist() == [True, False, False, False]
    assert [problem.found for problem in rows.bad] == ["found 'inf', which is no number"]


def test_dates_are_numbers_behind_the_numbers(table: Build) -> None:
    modality = TabularModality(numeric=["n"], dates=["day", "at"], categorical=["c"], scaling="standard")
    rows = table(n=["1", "3"], day=["2024-01-01", "2024-01-03"], at=[datetime.datetime(2024, 1, 1, 6), None], c=["x", "y"])
    modality.fit(rows)
    arrays, present = modality.encode(rows)
    numeric, known = np.asarray(arrays["numeric"]), np.asarray(arrays["known"])
    assert modality.columns == ["n", "day", "at", "c"]
    assert modality.spec == TabularSpec(1 + 5 + 7, (4,))
    day, at = modality.calendars["day"], modality.calendars["at"]
    np.testing.assert_allclose(numeric[:, 1:6], day.scale(np.array(["2024-01-01", "2024-01-03"], "M8[us]")), atol=1e-6)
    np.testing.assert_allclose(numeric[0, 6:], at.scale(np.array(["2024-01-01T06:00"], "M8[us]"))[0], atol=1e-6)
    assert known.all(0).tolist() == [True] * 6 + [False] * 7
    assert not numeric[1, 6:].any()
    assert present.all()


def test_what_is_no_date_is_told_and_missing(table: Build) -> None:
    modality = TabularModality(dates=["day"], date_format="%d.%m.%Y")
    rows = table(day=["1.2.2024", "2024-01-01", None, "3.2.2024"])
    modality.fit(rows)
    _, present = modality.encode(rows)
    expected = "rows.csv, row 2, column 'day': found '2024-01-01', which is no date in the form '%d.%m.%Y'"
    assert [str(problem) for problem in rows.bad] == [expected]
    assert present.tolist() == [True, False, False, True]


@pytest.mark.parametrize("form", ["%Q", "soon", "%H:%M", "%d.%m.", "%Y-%m-%d %H"])
def test_a_form_of_no_date_is_refused(form: str) -> None:
    with pytest.raises(ConfigError, match=f"date_format: '{form}' says no date; write it as strptime does: %Y-%m-%d %H:%M"):
        TabularModality(dates=["day"], date_format=form)


GAPS: dict[str, list[Any]] = {"a": ["1", "3", None, "5", None], "b": ["1", None, "9", "5", None], "c": ["x", "x", None, "y", None]}


def with_gaps(table: Build, **options: Any) -> tuple[Any, Any, Any]:
    modality = TabularModality(numeric=["a", "b"], categorical=["c"], scaling="standard", **options)
    rows = table(**GAPS)
    modality.fit(rows)
    restored = TabularModality(numeric=["a", "b"], categorical=["c"], scaling="standard", **options)
    restored.load_state(json.loads(json.dumps(modality.state())))
    arrays, present = restored.encode(rows)
    return np.asarray(arrays["numeric"]), np.asarray(arrays["known"]), present.tolist()


def test_gaps_are_flagged_unless_told_otherwise(table: Build) -> None:
    numeric, known, present = with_gaps(table)
    assert known.tolist() == [[True, True], [True, False], [False, True], [True, True], [False, False]]
    assert not numeric[~known].any()
    assert present == [True, True, True, True, False]


@pytest.mark.parametrize(("missing", "gap"), [("mean", 5.0), ("median", 5.0)])
def test_gaps_are_filled_with_what_train_shows(missing: str, gap: float, table: Build) -> None:
    numeric, known, present = with_gaps(table, missing=missing)
    assert known.tolist() == [[True, True]] * 4 + [[False, False]]  # where no cell is there, nothing is made up
    deviation = float(np.std([1, 9, 5]))
    np.testing.assert_allclose(numeric[:, 1], [-4 / deviation, (gap - 5) / deviation, 4 / deviation, 0, 0], atol=1e-6)
    assert present == [True, True, True, True, False]


def test_median_is_not_mean(table: Build) -> None:
    modality = TabularModality(numeric=["a", "b"], scaling="standard", missing="median")
    modality.fit(table(a=["0", "0", "9", None], b=["1", "2", "3", "4"]))  # mean 3, deviation sqrt(18), median 0
    arrays, _ = modality.encode(table(a=[None], b=["1"]))
    np.testing.assert_allclose(np.asarray(arrays["numeric"])[0, 0], -3 / np.sqrt(18), rtol=1e-6)


def test_gaps_are_predicted_from_numbers_and_categories(table: Build) -> None:
    rows = table(a=[str(n) for n in range(40)], b=[str(3 * n) for n in range(40)], c=["even", "odd"] * 20, d=["-1", "1"] * 20)
    modality = TabularModality(numeric=["a", "b", "d"], categorical=["c"], scaling="standard", missing="impute")
    modality.fit(rows)
    arrays, present = modality.encode(table(a=["10", None, None], b=[None, "90", None], c=["odd", "even", None], d=[None, "-1", None]))
    numeric, known = np.asarray(arrays["numeric"]), np.asarray(arrays["known"])
    expected = modality.encode(table(a=["10", "30"], b=["30", "90"], c=["odd", "even"], d=["1", "-1"]))[0]["numeric"]
    np.testing.assert_allclose(numeric[:2], expected, atol=0.01)
    assert known.tolist() == [[True] * 3, [True] * 3, [False] * 3]
    assert present.tolist() == [True, True, False]


def test_categories_of_many_kinds_predict_nothing(table: Build) -> None:
    modality = TabularModality(numeric=["a"], categorical=["name", "few"], missing="impute")
    modality.fit(table(a=[str(n) for n in range(40)], name=[str(n) for n in range(40)], few=["x", "y"] * 20))
    assert np.shape(modality.state()["filling"]["weights"]) == (1, 1 + 4)


def test_a_row_with_a_gap_can_be_dropped(table: Build) -> None:
    _, known, present = with_gaps(table, missing="drop")
    assert present == [True, False, False, True, False]
    assert known[present].all()
    rows = table(a=["1"], b=["1"], c=[None])
    modality = TabularModality(numeric=["a", "b"], categorical=["c"], missing="drop")
    modality.fit(rows)
    assert modality.encode(rows)[1].tolist() == [False]


@pytest.mark.parametrize("missing", ["flag", "mean", "median", "impute", "drop"])
def test_a_row_is_the_same_in_any_company(missing: Any, table: Build) -> None:
    modality = TabularModality(numeric=["a", "b"], dates=["day"], categorical=["c"], missing=missing)
    rows = table(**GAPS, day=["2024-01-31", None, "2023-12-24T18:30", None, None])
    modality.fit(rows)
    together, present = modality.encode(rows)
    for row in range(5):
        alone, there = modality.encode(rows.take(slice(row, row + 1)))
        assert there[0] == present[row]
        for name, values in alone.items():
            np.testing.assert_allclose(values[0], together[name][row], atol=1e-6)


def test_mistakes_in_train_do_not_disturb_the_scale(table: Build) -> None:
    modality = TabularModality(numeric=["x"], scaling="standard")
    modality.fit(table(x=["1", "inf", "abc", "3"]))
    assert modality.state()["numeric"] == {"x": {"mean": 2.0, "deviation": 1.0}}


def test_an_integer_with_a_gap_in_train_is_the_same_category(table: Build) -> None:
    """Writers of Parquet store such a column as floats, and the same column of another file as integers."""
    modality = TabularModality(categorical=["code"])
    modality.fit(table(code=[1.0, None, 3.0]))
    for cells in ([1, 3], ["1", "3"], [1.0, 3.0]):
        assert np.asarray(modality.encode(table(code=cells))[0]["categorical"]).tolist() == [[2], [3]]


def test_a_column_that_train_hardly_knows_is_noted(table: Build) -> None:
    modality = TabularModality(numeric=["x"], categorical=["a", "b"])
    modality.fit(table(x=[1, 2], a=["1", "2"], b=["x", "y"]))
    rows = table(x=[1] * 45, a=["1.0", "2.0", None, *["1"] * 42], b=["x"] * 44 + ["new"])
    codes = Fixed(np.asarray(modality.encode(rows)[0]["categorical"]))
    told = "column 'a': {} of {} cells hold a value that train never saw"
    assert modality.notes({"categorical": codes}, np.arange(41)) == [told.format(2, 40)]  # 5 % of those that are filled
    assert modality.notes({"categorical": codes}, np.arange(42)) == []
    assert modality.notes({"categorical": codes}, np.arange(1)) == []  # a single cell may always be new
    assert modality.notes({"categorical": codes}, np.array([0, 2, 1])) == [told.format(2, 2)]
    assert modality.notes({"categorical": codes}, np.array([44, 43])) == []


def test_no_columns_at_all_is_refused() -> None:
    with pytest.raises(ConfigError, match="no column; name at least one, as numeric, dates or categorical"):
        TabularModality(numeric=[], categorical=[])


def test_batches(table: Build, inputs: Callable[[Modality, Table], Any]) -> None:
    modality = TabularModality(numeric=["a"], categorical=["b"], scaling="standard")
    rows = table(a=["1", "3", None], b=["x", None, "y"])
    modality.fit(rows)
    batch = inputs(modality, rows)
    assert batch.numeric.tolist() == [[-1], [1], [0]]
    assert batch.known.tolist() == [[True], [True], [False]]
    assert batch.categorical.tolist() == [[2], [0], [3]]
