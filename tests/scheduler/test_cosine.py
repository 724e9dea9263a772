import pytest

from mmtrain.scheduler import Cosine


@pytest.mark.parametrize(("progress", "factor"), [(0.0, 0.0), (0.05, 0.5), (0.1, 1.0), (0.55, 0.5), (1.0, 0.0)])
def test_values_by_hand(progress: float, factor: float) -> None:
    assert Cosine(warmup=0.1)(progress) == pytest.approx(factor)


def test_ends_at_final() -> None:
    schedule = Cosine(warmup=0.0, final=0.2)
    assert schedule(0.0) == pytest.approx(1.0)
    assert schedule(1.0) == pytest.approx(0.2)
