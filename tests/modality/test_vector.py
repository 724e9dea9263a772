import io
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.testing import assert_allclose

from mmtrain.batch import Vector
from mmtrain.errors import DataError
from mmtrain.modality import Modality, VectorModality
from mmtrain.spec import VectorSpec
from mmtrain.table import Table

Build = Callable[..., Table]
Through = Callable[[Modality, Table], Any]

VECTORS = np.array([[1.0, 5, 0], [3, 5, -1], [8, 5, 2]])
SCALED = (VECTORS - VECTORS.mean(0)) / np.array([VECTORS[:, 0].std(), 1, VECTORS[:, 2].std()])


def npy(array: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, np.array(array))
    return file.getvalue()


def fitted(table: Table) -> VectorModality:
    modality = VectorModality(column="feature")
    modality.fit(table)
    return modality


@pytest.mark.parametrize(
    "cells",
    [
        VECTORS.tolist(),
        pl.Series(VECTORS.tolist(), dtype=pl.Array(pl.Float32, 3)),
        [" ".join(map(str, vector)) for vector in VECTORS],
        [npy(vector) for vector in VECTORS],
        [npy(vector[None]) for vector in VECTORS],
    ],
    ids=["list", "array", "text", "npy", "npy of one row"],
)
def test_each_place_is_scaled(table: Build, inputs: Through, cells: Any) -> None:
    rows = table(feature=cells)
    modality = fitted(rows)
    found = inputs(modality, rows)
    assert isinstance(found, Vector)
    assert modality.spec == VectorSpec(3)
    assert_allclose(found.values, SCALED, rtol=1e-5, atol=1e-6)


def test_a_file_by_its_path(table: Build, tmp_path: Path) -> None:
    (tmp_path / "a.npy").write_bytes(npy([1.0, 2.0]))
    rows = table(feature=["a.npy", "b.npy"])
    _, present = fitted(rows).encode(rows)
    assert present.tolist() == [True, False]
    assert rows.bad[0].where == "rows.csv, row 2, column 'feature'"
    assert rows.bad[0].found.startswith("'b.npy' does not exist")


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ([1.0, 2.0], "found a vector of 2 numbers, where those of train have 3"),
        ([1.0, None, 3.0], "the vector in the cell holds a value that is missing or not finite, at place 2"),
        ([1.0, 2.0, float("inf")], "the vector in the cell holds a value that is missing or not finite, at place 3"),
        ([], "the vector in the cell holds no number"),
        ([["a"]], "the cell holds something that is no number, or lists of several lengths"),
        ([[1.0, 2], [3, 4]], "the vector in the cell has the shape 2x2, where a vector has one dimension"),
        (b"1 2 3", "the file of 5 bytes in the cell cannot be decoded as a .npy file: "),
    ],
)
def test_what_cannot_be_read_is_told_and_absent(table: Build, cell: Any, found: str) -> None:
    modality = fitted(table(feature=VECTORS.tolist()))
    rows = table(feature=[cell])
    arrays, present = modality.encode(rows)
    assert not present.any()
    assert not np.any(arrays["values"])
    assert len(rows.bad) == 1
    assert rows.bad[0].found.startswith(found)


def test_the_width_is_that_of_most_rows(table: Build) -> None:
    rows = table(feature=["1 2", "1 2 3", "4 5", "7", None])
    modality = fitted(rows)
    assert modality.spec == VectorSpec(2)
    assert modality.encode(rows)[1].tolist() == [True, False, True, False, False]
    assert len(rows.bad) == 2


def test_train_rows_without_a_vector(table: Build) -> None:
    with pytest.raises(DataError, match=r"^rows.csv, column 'feature': no train row has a vector; is it the right column\?$"):
        fitted(table(feature=pl.Series([None], dtype=pl.String)))
    with pytest.raises(DataError, match=r"^rows.csv, row 1, column 'feature': the vector in the cell holds no number$"):
        fitted(table(feature=[[]]))


def test_fitting_holds_no_copy_of_the_column(table: Build) -> None:
    vectors = np.random.default_rng(0).normal(1e6, 1, (2000, 64))
    rows = table(feature=pl.Series(vectors))
    tracemalloc.start()
    modality = fitted(rows)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < vectors.nbytes
    scales = modality.state()["scales"]
    assert_allclose([scale["mean"] for scale in scales], vectors.mean(0), rtol=1e-12)
    assert_allclose([scale["deviation"] for scale in scales], vectors.std(0), rtol=1e-9)


def test_a_place_that_never_changes_has_no_deviation(table: Build) -> None:
    scales = fitted(table(feature=[[0.1, value] for value in (1.0, 2.0, 4.0)])).state()["scales"]
    assert scales[0]["deviation"] == 0 < scales[1]["deviation"]
