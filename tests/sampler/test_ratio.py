import numpy as np
import pytest

from mmtrain.sampler import Equal, Ratio


@pytest.mark.parametrize(("large", "small", "wanted"), [(3.0, 1.0, 25), (1.0, 3.0, 75), (1.0, 9.0, 90), (0.5, 0.5, 50)])
def test_shares(large: float, small: float, wanted: int, labelled: dict[str, np.ndarray]) -> None:
    sampler = Ratio(100, {}, labelled, ratio={"small": small, "large": large})
    assert all(abs(labelled["small"][sampler(seed, 0)].sum() - wanted) < 1 + 1e-6 for seed in range(5))


def test_only_the_ratio_counts(labelled: dict[str, np.ndarray]) -> None:
    order = Ratio(100, {}, labelled, ratio={"small": 4.0, "large": 4.0})(1, 1)
    assert order.tolist() == Equal(100, {}, labelled)(1, 1).tolist()
