import torch
from torch.testing import assert_close

from mmtrain.loss import Absolute
from mmtrain.spec import TargetSpec


def test_by_hand() -> None:
    prediction, target = torch.tensor([1.0, -2.0, 0.5]), torch.tensor([1.0, 1.0, 2.0])
    assert_close(Absolute(TargetSpec("size"))(prediction, target), torch.tensor([0.0, 3.0, 1.5]))
