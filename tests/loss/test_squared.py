import torch
from torch.testing import assert_close

from mmtrain.loss import Squared
from mmtrain.spec import TargetSpec


def test_by_hand() -> None:
    prediction, target = torch.tensor([1.0, -2.0, 0.5]), torch.tensor([1.0, 1.0, 2.0])
    assert_close(Squared(TargetSpec("size"))(prediction, target), torch.tensor([0.0, 9.0, 2.25]))
