from typing import Any

import numpy as np
from numpy.testing import assert_array_equal

from mmtrain.data.dataset import Dataset
from mmtrain.data.paired import pairs_only
from mmtrain.data.target import Target


class Paired:
    """A task that has its labels in two modalities."""

    paired = True
    modalities = ("one", "two")


class Plain:
    """A task that reads the same two."""

    modalities = ("one", "two")


class Held:
    """What a store tells of which rows have a modality."""

    def __init__(self, present: list[int]) -> None:
        self.present = np.array(present, bool)


def test_a_row_that_lacks_either_is_not_labelled() -> None:
    found: Any = {name: Held(there) for name, there in {"one": [1, 1, 0, 1], "two": [1, 0, 1, 1], "three": [0, 0, 0, 0]}.items()}
    target = Target(np.zeros(4, np.int64), np.array([True, True, True, False]), np.array([True, True, True, False]))
    dataset = Dataset({}, found, np.arange(4), {"pairs": target, "plain": target}, ["a", "b", "c", "d"])
    tasks: Any = {"pairs": Paired(), "plain": Plain()}
    labelled = pairs_only(dataset, tasks)
    assert_array_equal(labelled.labelled["pairs"], [True, False, False, False])
    assert_array_equal(labelled.encoded["pairs"].usable, [True, False, False, False])
    assert labelled.encoded["plain"] is target
