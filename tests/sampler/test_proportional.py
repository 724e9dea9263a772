from collections import Counter

import numpy as np

from mmtrain.sampler import Proportional


def test_a_table_a_task_comes_whole(labelled: dict[str, np.ndarray]) -> None:
    """As under `Shuffle`, every row once."""
    assert all(sorted(Proportional(100, {}, labelled)(0, epoch).tolist()) == list(range(100)) for epoch in range(20))


def test_a_row_of_two_labels_comes_twice_as_often(gaps: dict[str, np.ndarray]) -> None:
    """80 places for 90 labels: 8/9 for a row of one, 16/9 for a row of both."""
    counts = [Counter(Proportional(100, {}, gaps)(0, epoch).tolist()) for epoch in range(200)]
    assert all(abs(sum(found[row] for row in range(50, 60)) - 160 / 9) < 1 for found in counts)
    assert all(abs(sum(found[row] for row in range(50)) - 400 / 9) < 1 for found in counts)
