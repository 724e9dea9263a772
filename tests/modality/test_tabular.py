import datetime
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest

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


def test_mistakes_in_train_do_not_disturb_the_scale(table: Build) -> None:
    modality = TabularModality(numeric=["x"], scaling="standard")
    modality.fit(table(x=["1", "inf", "abc", "3"]))
    assert modality.state()["numeric"] == {"x": {"mean": 2.0, "deviation": 1.0}}


def test_no_columns_at_all_is_refused() -> None:
    with pytest.raises(ConfigError, match="no column; name at least one, as numeric or categorical"):
        TabularModality(numeric=[], categorical=[])


def test_batches(table: Build, inputs: Callable[[Modality, Table], Any]) -> None:
    modality = TabularModality(numeric=["a"], categorical=["b"], scaling="standard")
    rows = table(a=["1", "3", None], b=["x", None, "y"])
    modality.fit(rows)
    batch = inputs(modality, rows)
    assert batch.numeric.tolist() == [[-1], [1], [0]]
    assert batch.known.tolist() == [[True], [True], [False]]
    assert batch.categorical.tolist() == [[2], [0], [3]]
