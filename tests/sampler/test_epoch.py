"""What the log says of an epoch."""

import numpy as np

from mmtrain.sampler import epoch_in_words


def test_every_row_once() -> None:
    assert epoch_in_words(np.random.permutation(1200), {"a": np.arange(1200) < 7}) == "an epoch is 1,200 rows: each train row once"


def test_how_often_rows_of_each_task_come() -> None:
    """1,000 rows of a, 200 of b."""
    order = np.concatenate([np.arange(600), np.repeat(np.arange(1000, 1200), 3)])
    labelled = {"a": np.arange(1200) < 1000, "b": np.arange(1200) >= 1000}
    said = "an epoch is 1,200 rows; with a label of a 600 (each 0.6 times), b 600 (each 3 times)"
    assert epoch_in_words(order, labelled) == said


def test_a_task_without_labels() -> None:
    said = "an epoch is 2 rows; with a label of a 2 (each 1 times), b 0 (each 0 times)"
    assert epoch_in_words(np.array([1, 1]), {"a": np.ones(2, bool), "b": np.zeros(2, bool)}) == said
