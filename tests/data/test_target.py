"""Targets of a split: unlabelled rows, unreadable cells, and classes that train never saw."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mmtrain.data import Settings
from mmtrain.data.target import encode_targets
from mmtrain.errors import DataError
from mmtrain.table import Table


@pytest.fixture
def tasks(make_tasks: Callable[[], dict[str, Any]], make_table: Callable[..., Table]) -> dict[str, Any]:
    tasks = make_tasks()
    for task in tasks.values():
        task.fit(make_table({"label": ["a", "b", None], "size": ["0", "2", "1"]}))
    return tasks


def test_an_unlabelled_row_has_target_zero(tasks: dict[str, Any], make_table: Callable[..., Table], settings: Settings) -> None:
    targets, notes = encode_targets(tasks, make_table({"label": ["b", None], "size": [None, "2"]}), settings)
    assert targets["label"].values.tolist() == [1, 0]
    assert targets["label"].labelled.tolist() == [True, False]
    assert targets["size"].values[0] == 0
    assert targets["size"].labelled.tolist() == [False, True]
    assert notes == []


def test_a_number_may_be_minus_one(tasks: dict[str, Any], make_table: Callable[..., Table], settings: Settings) -> None:
    """Only among classes does -1 stand for one that train never saw."""
    smaller = tasks["size"].encode(make_table({"label": [None], "size": ["1"]}))[0][0]
    scale = tasks["size"].encode(make_table({"label": [None], "size": ["2"]}))[0][0] - smaller
    cell = str(float(1 - (1 + smaller) / scale))
    targets, _ = encode_targets(tasks, make_table({"label": [None], "size": [cell]}), settings)
    assert targets["size"].values[0] == pytest.approx(-1)
    assert targets["size"].usable.all()


def test_a_new_class_is_named_with_its_count(tasks: dict[str, Any], make_table: Callable[..., Table], settings: Settings) -> None:
    table = make_table({"label": ["c", "a", "c", "d", None], "size": ["1"] * 5}, file="val.csv")
    targets, notes = encode_targets(tasks, table, settings)
    assert targets["label"].values.tolist() == [-1, 0, -1, -1, 0]
    assert targets["label"].labelled.tolist() == [True, True, True, True, False]
    assert targets["label"].usable.tolist() == [False, True, False, False, False]
    assert notes == ["tasks.label, val.csv: train never saw 'c' (rows: 2), 'd' (rows: 1); these rows count as wrong"]
    with pytest.raises(DataError, match=r"tasks\.label, val\.csv: train never saw 'c' \(rows: 2\), 'd' \(rows: 1\); add rows to train"):
        encode_targets(tasks, table, replace(settings, on_unseen="error"))


def test_of_many_new_classes_the_commonest_are_named(tasks: dict[str, Any], make_table: Callable[..., Table], settings: Settings) -> None:
    labels = [f"new{number}" for number in range(13) for _ in range(13 - number)]
    _, (note,) = encode_targets(tasks, make_table({"label": labels, "size": ["1"] * len(labels)}), settings)
    assert "'new0' (rows: 13), 'new1' (rows: 12)" in note
    assert "'new9' (rows: 4) and 3 more; " in note


def test_a_label_that_cannot_be_read_is_an_error_or_missing(
    tasks: dict[str, Any], make_table: Callable[..., Table], settings: Settings
) -> None:
    table = make_table({"label": ["a", "b"], "size": ["tall", "2"]})
    with pytest.raises(DataError) as error:
        encode_targets(tasks, table, settings)
    assert [str(problem).split(";")[0] for problem in error.value.problems] == [
        "rows.csv, row 1, column 'size': found 'tall', which is no number",
        "tasks.size: labels that cannot be read: 1, the first are named above",
    ]
    targets, notes = encode_targets(tasks, table, replace(settings, on_bad="absent"))
    assert targets["size"].labelled.tolist() == [False, True]
    assert np.isfinite(targets["size"].values).all()
    assert notes[0].startswith("tasks.size: labels that cannot be read and count as missing: 1; the first: rows.csv, row 1, column 'size'")
