import numpy as np
import pytest
import torch
from torch.testing import assert_close

from mmtrain.loss import Huber
from mmtrain.spec import TargetSpec

SPEC = TargetSpec("size")


def test_by_hand() -> None:
    """Errors 0, 0.5 and 3 with delta 1: half the square, then 1 * (3 - 1/2)."""
    assert_close(Huber(SPEC)(torch.tensor([1.0, 0.5, 4.0]), torch.ones(3)), torch.tensor([0.0, 0.125, 2.5]))


@pytest.mark.parametrize("delta", [0.3, 1.0, 2.0])
def test_by_formula(delta: float) -> None:
    prediction, target = torch.randn(30) * 2, torch.randn(30)
    error = np.abs(prediction.double().numpy() - target.double().numpy())
    expected = np.where(error <= delta, error**2 / 2, delta * (error - delta / 2))
    assert_close(Huber(SPEC, delta=delta)(prediction, target), torch.from_numpy(expected).float())
