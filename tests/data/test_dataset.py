"""Batches hold the rows asked for, in the order asked for."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from mmtrain.batch import Batch
from mmtrain.data import Dataset, Settings, batches, open_rows
from mmtrain.table import Table


@pytest.fixture
def dataset(
    make_table: Callable[..., Table],
    make_modalities: Callable[[], dict[str, Any]],
    make_tasks: Callable[[], dict[str, Any]],
    settings: Settings,
    folder: Any,
) -> Dataset:
    """Row 2 has words only, row 3 nothing at all, row 4 a class that train never saw."""
    modalities, tasks = make_modalities(), make_tasks()
    del modalities["facts"]
    train = {"picture": ["0.png"] * 2, "words": ["red one", "blue"], "size": ["0", "2"], "label": ["a", "b"]}
    for part in (*modalities.values(), *tasks.values()):
        part.fit(make_table(train, root=folder))
    columns = {
        "picture": ["0.png", "5.png", None, None, "3.png"],
        "words": ["red", "blue one red", "one", None, "new"],
        "size": ["0", "1", None, "2", "2"],
        "label": ["a", "b", "b", "a", "z"],
    }
    return open_rows(make_table(columns, root=folder), settings, modalities, tasks, ids=["p", "q", "r", "s", "t"])


def batch_of(dataset: Dataset, *rows: int) -> Batch:
    return dataset.batch(np.array(rows))


def test_inputs_are_those_of_the_rows(dataset: Dataset) -> None:
    batch = batch_of(dataset, 1, 0, 4)
    pictures, words = batch.inputs["picture"], batch.inputs["words"]
    assert pictures.pixels[:, 0, 0, 0].tolist() == [5, 0, 3]
    blue, one, red = 2, 3, 4
    assert words.ids.tolist() == [[blue, one, red], [red, 0, 0], [1, 0, 0]]
    assert words.mask.tolist() == [[True] * 3, [True, False, False], [True, False, False]]
    assert batch.rows.tolist() == [1, 0, 4]
    assert len(batch) == 3


def test_presence_is_each_rows_own(dataset: Dataset) -> None:
    batch = batch_of(dataset, 4, 3, 2, 1)
    assert {name: mask.tolist() for name, mask in batch.present.items()} == {
        "picture": [True, False, False, True],
        "words": [True, False, True, True],
    }
    assert {name: rows.tolist() for name, rows in batch.index.items()} == {"picture": [0, 3], "words": [0, 2, 3]}


def test_padding_comes_from_the_batch_and_absent_rows_have_no_length(dataset: Dataset) -> None:
    assert batch_of(dataset, 0, 3).inputs["words"].ids.shape == (2, 1)
    assert batch_of(dataset, 3).inputs["words"].ids.shape == (1, 0)


def test_scored_rows_are_labelled_known_to_train_and_not_empty(dataset: Dataset) -> None:
    batch = batch_of(dataset, 0, 1, 2, 3, 4)
    assert batch.labelled["label"].tolist() == [True] * 5
    assert batch.targets["label"].tolist() == [0, 1, 1, 0, -1]
    assert batch.scored["label"]["fused"].tolist() == [0, 1, 2]
    assert batch.labelled["size"].tolist() == [True, True, False, True, True]
    assert batch.scored["size"]["fused"].tolist() == [0, 1, 4]
    assert batch.targets["size"][2] == 0


def test_full_arrays_are_in_the_order_of_the_rows(dataset: Dataset) -> None:
    assert dataset.ids == ["p", "q", "r", "s", "t"]
    assert dataset.targets["label"].tolist() == [0, 1, 1, 0, -1]
    assert dataset.labelled["size"].tolist() == [True, True, False, True, True]
    assert dataset.present["picture"].tolist() == [True, True, False, False, True]


def orders(dataset: Dataset, **options: Any) -> list[list[int]]:
    return [batch.rows.tolist() for batch in batches(dataset, 2, **options)]


def test_every_row_comes_once_and_the_last_batch_may_be_smaller(dataset: Dataset) -> None:
    assert orders(dataset) == [[0, 1], [2, 3], [4]]


def test_rows_come_as_ordered_also_several_times(dataset: Dataset) -> None:
    assert orders(dataset, order=np.array([4, 1, 1, 1, 0])) == [[4, 1], [1, 1], [0]]
    batch = batch_of(dataset, 1, 1)
    assert torch.equal(batch.inputs["picture"].pixels[0], batch.inputs["picture"].pixels[1])
    assert batch.inputs["words"].ids.tolist() == [[2, 3, 4]] * 2
    assert batch.scored["label"]["fused"].tolist() == [0, 1]


@pytest.mark.parametrize("order", [None, np.array([3, 0, 2, 0, 4])], ids=["own", "given"])
def test_skipping_gives_the_tail(dataset: Dataset, order: np.ndarray | None) -> None:
    full = orders(dataset, order=order)
    for skip in range(4):
        assert orders(dataset, order=order, skip=skip) == full[skip:]
