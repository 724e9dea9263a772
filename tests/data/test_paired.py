from typing import Any

import numpy as np
from numpy.testing import assert_array_equal

from mmtrain.data.dataset import Dataset
from mmtrain.data.paired import with_needed
from mmtrain.data.target import Target
from mmtrain.spec import TaskSpec


class Paired:
    """A task that has its labels in two modalities."""

    paired = True
    spec = TaskSpec(4, gaussian=False, whole=False, modalities=("one", "two"))


class Needy:
    """A task that can say nothing without one of them."""

    spec = TaskSpec(4, gaussian=False, whole=False, modalities=("one",))


class Plain:
    """A task of which any modality may tell."""

    spec = TaskSpec(4, gaussian=False)


class Held:
    """What a store tells of which rows have a modality."""

    def __init__(self, present: list[int]) -> None:
        self.present = np.array(present, bool)


def test_a_row_that_lacks_either_is_not_labelled() -> None:
    found: Any = {name: Held(there) for name, there in {"one": [1, 1, 0, 1], "two": [1, 0, 1, 1], "three": [0, 0, 0, 0]}.items()}
    target = Target(np.zeros(4, np.int64), np.array([True, True, True, False]), np.array([True, True, True, False]))
    dataset = Dataset({}, found, np.arange(4), {"pairs": target, "needy": target, "plain": target}, ["a", "b", "c", "d"])
    tasks: Any = {"pairs": Paired(), "needy": Needy(), "plain": Plain()}
    labelled = with_needed(dataset, tasks)
    assert_array_equal(labelled.labelled["pairs"], [True, False, False, False])
    assert_array_equal(labelled.encoded["pairs"].usable, [True, False, False, False])
    assert labelled.encoded["plain"] is target
    assert_array_equal(labelled.labelled["needy"], [True, True, True, False])  # they count in metrics, as what the constant answers
    assert_array_equal(labelled.encoded["needy"].usable, [True, True, False, False])
