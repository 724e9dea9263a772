"""Rows dealt out by column and by fraction."""

from collections import Counter

import numpy as np
import polars as pl
import pytest

from mmtrain.errors import DataError
from mmtrain.source.split import by_column, by_fraction
from mmtrain.table import Table


def table_of(**columns: list[object]) -> Table:
    frame = pl.DataFrame(columns)
    return Table(frame, "rows.csv", np.arange(1, frame.height + 1))


def test_a_column_names_the_splits() -> None:
    table = table_of(part=["test", "train", "val", "train"])
    assert {name: rows.tolist() for name, rows in by_column(table, "part").items()} == {"train": [1, 3], "val": [2], "test": [0]}
    assert by_column(table_of(part=["train", "val"]), "part").keys() == {"train", "val"}


def test_a_strange_split_is_named_with_its_count() -> None:
    table = table_of(part=["train", "valid", None, "valid"])
    with pytest.raises(DataError) as error:
        by_column(table, "part")
    assert [str(problem) for problem in error.value.problems] == [
        "rows.csv, column 'part': 'valid' is no split (rows: 2); allowed: train, val, test",
        "rows.csv, column 'part': '' is no split (rows: 1); allowed: train, val, test",
    ]
    with pytest.raises(DataError, match=r"data\.split_column: rows\.csv has no column 'parts'; did you mean 'part'\?"):
        by_column(table, "parts")


def test_fractions_take_every_row_once_and_depend_on_the_seed() -> None:
    table = table_of(a=list(range(1000)))
    deal = by_fraction(table, {"val": 0.1, "test": 0.25}, 0)
    assert {name: len(rows) for name, rows in deal.items()} == {"train": 650, "val": 100, "test": 250}
    np.testing.assert_array_equal(np.sort(np.concatenate(list(deal.values()))), np.arange(1000))
    again, other = by_fraction(table, {"val": 0.1, "test": 0.25}, 0), by_fraction(table, {"val": 0.1, "test": 0.25}, 1)
    assert all(np.array_equal(deal[name], again[name]) for name in deal)
    assert not any(np.array_equal(deal[name], other[name]) for name in deal)


def test_strata_are_spread_in_proportion() -> None:
    labels: list[object] = ["a"] * 700 + ["b"] * 200 + ["c"] * 90 + [None] * 10
    table = table_of(label=labels)
    for seed in range(5):
        for name, rows in by_fraction(table, {"val": 0.2, "test": 0.1}, seed, stratify="label").items():
            share = {"train": 0.7, "val": 0.2, "test": 0.1}[name]
            counts = Counter(labels[row] for row in rows)
            for label, total in Counter(labels).items():
                assert abs(counts[label] - share * total) <= 2, (seed, name, label)


def test_a_group_stays_together_also_when_stratified() -> None:
    random = np.random.default_rng(0)
    people = [f"person {number}" for number in random.integers(0, 60, 1000)]
    label: list[object] = ["yes" if int(person.split()[1]) < 20 else "no" for person in people]
    table = table_of(person=list(people), label=label)
    deal = by_fraction(table, {"val": 0.2, "test": 0.2}, 0, group="person", stratify="label")
    split_of = {name: {people[row] for row in rows} for name, rows in deal.items()}
    assert not split_of["train"] & split_of["val"]
    assert not split_of["train"] & split_of["test"]
    assert not split_of["val"] & split_of["test"]
    assert {name: len(found) for name, found in split_of.items()} == {"train": 36, "val": 12, "test": 12}
    for name, share in (("train", 12), ("val", 4), ("test", 4)):
        assert abs(sum(int(person.split()[1]) < 20 for person in split_of[name]) - share) <= 1


def test_a_row_without_a_group_and_too_few_groups_are_refused() -> None:
    with pytest.raises(DataError, match=r"rows\.csv, row 2, column 'person': no group \(rows without one: 2\)"):
        by_fraction(table_of(person=["a", None, "b", None]), {"val": 0.5}, 0, group="person")
    with pytest.raises(DataError, match=r"rows\.csv: 2 different values of column 'person' for 3 splits"):
        by_fraction(table_of(person=["a", "b", "a"]), {"val": 0.2, "test": 0.2}, 0, group="person")
    with pytest.raises(DataError, match=r"data\.stratify: rows\.csv has no column 'lable'; did you mean 'label'\?"):
        by_fraction(table_of(label=["a", "b", "a"]), {"val": 0.4}, 0, stratify="lable")
