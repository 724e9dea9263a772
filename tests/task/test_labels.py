import json
from collections.abc import Callable

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from mmtrain.errors import DataError
from mmtrain.table import Table
from mmtrain.task.labels import Labels, ordered

Maker = Callable[..., Table]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["10", "9", "-1", "2.5"], ["-1", "2.5", "9", "10"]),
        (["7", "007", "07"], ["007", "07", "7"]),  # one number, three labels
        (["b", "10", "9"], ["10", "9", "b"]),
        (["nan", "2", "10"], ["10", "2", "nan"]),  # words to a person, whatever Python reads
        (["True", "False"], ["False", "True"]),
        (["zoo", "Äpfel", "NA", "a b"], ["NA", "a b", "zoo", "Äpfel"]),
    ],
    ids=str,
)
def test_order_is_numeric_or_textual(labels: list[str], expected: list[str]) -> None:
    assert ordered(labels) == expected
    assert ordered(labels[::-1]) == expected


def test_labels_are_the_text_of_the_cells(table: Maker) -> None:
    cells = ["007", "7", "True", "NA", "Ä b", " x", "x", None, "007"]
    labels = Labels.fit("kind", "label", table(cells))
    assert labels.counts == {" x": 1, "007": 2, "7": 1, "NA": 1, "True": 1, "x": 1, "Ä b": 1}
    targets, labelled = labels.encode(cells)
    assert_array_equal(labelled, [cell is not None for cell in cells])
    assert [list(labels.counts)[target] for target in targets[labelled]] == [cell for cell in cells if cell is not None]


def test_accents_written_in_two_ways_are_one_label(table: Maker) -> None:
    composed, combining = "\u00e9", "e\u0301"
    labels = Labels.fit("kind", "label", table([composed, combining, "a"]))
    assert labels.counts == {"a": 1, composed: 2}


def test_cells_of_typed_files_become_text(table: Maker) -> None:
    assert list(Labels.fit("kind", "label", table([10, 9, 10])).counts) == ["9", "10"]
    assert list(Labels.fit("kind", "label", table([True, False, None])).counts) == ["false", "true"]


def test_a_label_that_train_never_saw(table: Maker) -> None:
    targets, labelled = Labels.fit("kind", "label", table(["a", "b"])).encode(["b", "c", None, "B"])
    assert_array_equal(targets, [1, -1, -1, -1])
    assert_array_equal(labelled, [True, True, False, True])
    assert targets.dtype == np.int64


def test_order_and_counts_outlive_json(table: Maker) -> None:
    labels = Labels.fit("kind", "label", table(["10", "9", "9"]))
    restored = Labels.restore(json.loads(json.dumps(labels.state(), sort_keys=True)))
    assert list(restored.counts.items()) == [("9", 2), ("10", 1)]
    assert restored.rows == 3
    assert_array_equal(restored.frequencies, [2 / 3, 1 / 3])


def test_decode(table: Maker) -> None:
    columns = Labels.fit("kind", "label", table(["a", "b", "c d"])).decode(np.array([[0.1, 0.2, 0.7], [0.5, 0.5, 0.0]]))
    assert columns == {"": ["c d", "a"], ".confidence": [0.7, 0.5], ".p.a": [0.1, 0.5], ".p.b": [0.2, 0.5], ".p.c d": [0.7, 0.0]}


def test_no_label_at_all(table: Maker) -> None:
    with pytest.raises(DataError, match=r"tasks\.kind: none of the 2 train rows in rows\.csv has a label in column 'label'"):
        Labels.fit("kind", "label", table([None, None]))


def test_one_label_alone(table: Maker) -> None:
    with pytest.raises(DataError, match=r"tasks\.kind: all 2 labels of column 'label' in train are 'calm'"):
        Labels.fit("kind", "label", table(["calm", None, "calm"]))
