from collections import Counter

import numpy as np

from mmtrain.sampler import Equal


def test_half_of_an_epoch_each(labelled: dict[str, np.ndarray]) -> None:
    """50 places for 80 rows, and for 20."""
    rows = Counter(Equal(100, {}, labelled)(0, 0).tolist())
    assert sum(rows[row] for row in range(80)) == 50
    assert {rows[row] for row in range(80)} == {0, 1}
    assert {rows[row] for row in range(80, 100)} == {2, 3}
