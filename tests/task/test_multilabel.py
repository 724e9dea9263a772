from collections.abc import Callable, Sequence
from typing import Any, get_args, get_type_hints

import numpy as np
import polars as pl
import pytest
import torch
from numpy.testing import assert_array_equal
from torch.testing import assert_close

from mmtrain.data import Settings
from mmtrain.data.target import encode_targets
from mmtrain.errors import ConfigError, DataError
from mmtrain.loss import BinaryCrossEntropy, CrossEntropy
from mmtrain.metric import SET_METRICS
from mmtrain.spec import TaskSpec
from mmtrain.table import Table
from mmtrain.task import Multilabel

Maker = Callable[..., Table]
CELLS = ["b, a", "[]", None, "a", "c,a ,b", "a"]


def lists(cells: list[Any]) -> Table:
    return Table(pl.DataFrame({"label": cells}, strict=False), "rows.parquet", np.arange(1, len(cells) + 1))


def fitted(table: Table, **options: Any) -> Multilabel:
    task = Multilabel("tags", column="label", loss=BinaryCrossEntropy, **options)
    task.fit(table)
    return task


def test_text_is_split(table: Maker) -> None:
    task = fitted(table(CELLS))
    targets, labelled = task.encode(table(["c", None, "[]", "a,b,a", '["b", "a"]']))
    assert_array_equal(targets, [[0, 0, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0], [1, 1, 0, 0], [1, 1, 0, 0]])
    assert_array_equal(labelled, [True, False, True, True, True])
    assert task.spec == TaskSpec(5, False, 1.0, "binary", (3,))
    assert list(fitted(table(["x;y", "y, z"]), separator=";").labels.counts) == ["x", "y", "y, z"]


def test_lists_and_lists_in_json_are_the_same(table: Maker) -> None:
    text = fitted(table(['["b","a"]', "[]", None, '["a"]']))
    task = fitted(lists([["b", "a"], [], None, ["a"]]))
    assert task.state() == text.state() | {"lists": True}
    assert_array_equal(task.encode(lists([["b"], None, []]))[0], [[0, 1, 0], [0, 0, 0], [0, 0, 0]])


def test_numbers_may_be_labels() -> None:
    assert list(fitted(lists([[10, 9], [9]])).labels.counts) == ["9", "10"]
    assert list(fitted(lists([[10.0, 0.5], []])).labels.counts) == ["0.5", "10"]


def test_labels_come_back_as_they_were_written(table: Maker) -> None:
    answer = np.array([[0.9, 0.6, 0.1], [0.5, 0.2, 0.1]])
    chances = {".p.a": [0.9, 0.5], ".p.b": [0.6, 0.2], ".p.c": [0.1, 0.1]}
    assert fitted(table(CELLS)).decode(answer) == {"": ["a,b", "[]"]} | chances
    assert fitted(lists([["a"], ["b"], ["c"]])).decode(answer) == {"": [["a", "b"], []]} | chances


@pytest.mark.parametrize(
    ("metric", "chosen"),
    [("f1_macro", "a,b,c"), ("f1_micro", "a,b"), ("accuracy", "a"), ("hamming", "a"), ("average_precision", "a")],
)
def test_the_best_constant_set(table: Maker, metric: str, chosen: str) -> None:
    """a is in 4 of 5 rows, b in 2, c in 1: answering a alone has an F1 of 8/12, a and b 12/17, all three 14/22."""
    task = fitted(table(CELLS), metric=metric)
    assert task.decode(task.answer(task.prior()[None]))[""] == [chosen]
    targets, labelled = task.encode(table(CELLS))
    constant = task.evaluate(task.answer(task.prior().expand(5, 3)), targets[labelled])["constant"]
    assert constant == pytest.approx(
        {"f1_macro": (8 / 9 + 4 / 7 + 1 / 3) / 3, "f1_micro": 12 / 17, "accuracy": 2 / 5, "hamming": 4 / 15, "average_precision": 7 / 15}[
            metric
        ]
    )


def test_frequencies_are_the_prior(table: Maker) -> None:
    assert_close(fitted(table(CELLS)).prior().sigmoid(), torch.tensor([0.8, 0.4, 0.2]))
    assert_close(fitted(table(["a", "a,b"])).prior().sigmoid(), torch.tensor([0.75, 0.5]))  # always has no logit


def test_a_label_that_train_never_saw(table: Maker) -> None:
    """It is named, counts as wrong, and enters no loss."""
    task = fitted(table(CELLS))
    targets, notes = encode_targets({"tags": task}, table(["a,new", "b", "new"]), Settings("small"))
    assert_array_equal(targets["tags"].values, [[1, 0, 0, -1], [0, 1, 0, 0], [0, 0, 0, -1]])
    assert targets["tags"].usable.tolist() == [False, True, False]
    assert notes == ["tasks.tags, rows.csv: train never saw 'a,new' (rows: 1), 'new' (rows: 1); these rows count as wrong"]
    _, notes = encode_targets({"tags": task}, lists([["new"], []]), Settings("small"))
    assert notes == ["tasks.tags, rows.parquet: train never saw '['new']' (rows: 1); these rows count as wrong"]


def test_what_is_no_set(table: Maker) -> None:
    cells = table(["a,,b", "[a]", "a"])
    targets, labelled = fitted(table(CELLS)).encode(cells)
    assert_array_equal(labelled, [False, False, True])
    assert not targets[:2].any()
    assert [str(problem) for problem in cells.bad] == [
        "rows.csv, row 1, column 'label': found 'a,,b', in which a label is empty; allowed: labels, or [] for none",
        "rows.csv, row 2, column 'label': found '[a]', which begins as a list in JSON and is none; allowed: labels, or [] for none",
    ]
    with_null = lists([["a", None], ["a"]])
    assert_array_equal(fitted(lists([["a"], []])).encode(with_null)[1], [False, True])


@pytest.mark.parametrize(
    ("cells", "line"),
    [
        ([None, None], "tasks.tags: none of the 2 train rows in rows.csv has a label in column 'label'; there is nothing to tell apart"),
        (["a,b", None, "b,a"], "tasks.tags: all 2 labelled rows of column 'label' in train have the same labels"),
    ],
)
def test_nothing_to_learn(table: Maker, cells: Sequence[Any], line: str) -> None:
    with pytest.raises(DataError) as caught:
        fitted(table(cells))
    assert str(caught.value).startswith(line)


def test_wrong_choices(table: Maker) -> None:
    with pytest.raises(ConfigError, match=r"tasks\.tags\.separator: is empty"):
        fitted(table(CELLS), separator="")
    with pytest.raises(ConfigError, match=r"'CrossEntropy' is a loss for classes, and this task predicts sets; .*=binary_cross_entropy"):
        Multilabel("tags", column="label", loss=CrossEntropy).fit(table(CELLS))


def test_the_primary_metrics() -> None:
    assert set(get_args(get_type_hints(Multilabel.__init__)["metric"])) == set(SET_METRICS) - {"ece"}
