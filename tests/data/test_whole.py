"""Rows that lack a modality, where only whole ones are wanted."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mmtrain.data import Dataset, Settings, open_rows, prepare
from mmtrain.data.whole import whole_rows_only
from mmtrain.source import TableSource
from mmtrain.table import Table

Make = Callable[..., Any]
CELLS = {
    "picture": ["0.png", None, "2.png", None],
    "words": ["red", "blue", None, None],
    "size": ["1", "2", "3", "4"],
    "label": ["a", "b", "a", None],
}


@pytest.fixture
def rows(
    make_table: Callable[..., Table], make_modalities: Make, make_tasks: Make, settings: Settings, folder: Any
) -> Callable[..., Dataset]:
    """Four rows: whole, without picture, without words, without either."""

    def rows(**options: Any) -> Dataset:
        modalities, tasks = make_modalities(), make_tasks()
        del modalities["facts"]
        for part in (*modalities.values(), *tasks.values()):
            part.fit(make_table(CELLS, root=folder))
        return open_rows(make_table(CELLS, root=folder), settings, modalities, tasks, **options)

    return rows


def test_incomplete_rows_enter_no_loss_in_any_view(rows: Callable[..., Dataset]) -> None:
    plain, whole = rows(), rows(whole_rows=True)
    everything = np.arange(4)
    assert {view: found.tolist() for view, found in plain.batch(everything).scored["label"].items()} == {
        "fused": [0, 1, 2],
        "picture": [0, 2],
        "words": [0, 1],
    }
    assert {view: found.tolist() for view, found in whole.batch(everything).scored["label"].items()} == {
        "fused": [0],
        "picture": [0],
        "words": [0],
    }
    assert plain.answerable.tolist() == [True, True, True, False]
    assert whole.answerable.tolist() == [True, False, False, False]


def test_their_labels_count_where_they_are_scored(rows: Callable[..., Dataset]) -> None:
    """They are answered with the constant, and that is held against what they are."""
    whole = rows(whole_rows=True)
    assert whole.labelled["label"].tolist() == [True, True, True, False]
    assert whole.batch(np.arange(4)).labelled["label"].tolist() == [True, True, True, False]
    assert whole.notes == ["missing: 3 of 4 rows of rows.csv lack a modality and get the constant answer"]
    assert rows().notes == []


def test_in_train_they_lose_their_labels(rows: Callable[..., Dataset]) -> None:
    train = whole_rows_only(rows(), "train", train=True)
    assert {name: mask.tolist() for name, mask in train.labelled.items()} == {
        "label": [True, False, False, False],
        "size": [True, False, False, False],
    }
    assert all(not values[1:].any() for values in train.targets.values())
    assert train.notes == ["missing: 3 of 4 rows of train lack a modality and lose their labels"]
    assert len(train) == 4
    assert train.present["picture"].tolist() == [True, False, True, False]


def test_where_all_are_whole_nothing_is_said(rows: Callable[..., Dataset]) -> None:
    whole = rows(whole_rows=True)
    part = Dataset(
        whole.modalities,
        whole.stores,
        whole.positions[:1],
        whole.encoded,
        ["a"],
        whole_rows=True,
    )
    assert whole_rows_only(part, "train", train=False).notes == []


def test_every_split_is_told_of(source: TableSource, settings: Settings, make_modalities: Make, make_tasks: Make, folder: Any) -> None:
    (folder / "train.csv").write_text((folder / "train.csv").read_text().replace("0.png", "").replace("1.png", ""))
    (folder / "val.csv").write_text((folder / "val.csv").read_text().replace("13.png", ""))
    data = prepare(source, settings, make_modalities(), make_tasks(), progress=False, whole_rows=True)
    assert [note for note in data.notes if note.startswith("missing: ")] == [
        "missing: 2 of 6 rows of train lack a modality and lose their labels",
        "missing: 1 of 6 rows of val lack a modality and get the constant answer",
    ]
    assert data.splits["train"].labelled["label"].tolist() == [False, False, True, True, True, True]
    assert data.splits["val"].labelled["label"].all()
    assert data.tasks["label"].state()["counts"] == [3, 3]  # what is fitted sees all rows
