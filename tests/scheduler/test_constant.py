import pytest

from mmtrain.scheduler import Constant


def test_stays_one_after_warm_up() -> None:
    assert [Constant()(progress) for progress in (0.0, 0.5, 1.0)] == [1.0, 1.0, 1.0]
    assert [Constant(warmup=0.5)(progress) for progress in (0.0, 0.25, 0.5, 1.0)] == pytest.approx([0.0, 0.5, 1.0, 1.0])
