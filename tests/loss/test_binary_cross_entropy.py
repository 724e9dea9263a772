import torch
from sklearn import metrics
from torch.testing import assert_close

from mmtrain.loss import BinaryCrossEntropy, CrossEntropy
from mmtrain.spec import TargetSpec

LOSS = BinaryCrossEntropy(TargetSpec("tags", {"a": 3, "b": 1}))


def test_by_hand() -> None:
    """Chances 3/4 and 1/2: of a set that has the first label and lacks the second."""
    found = LOSS(torch.tensor([[3.0, 1.0]]).log(), torch.tensor([[1, 0]]))
    assert_close(found, -torch.tensor([0.75 * 0.5]).log() / 2)


def test_by_scikit_learn() -> None:
    prediction, target = torch.randn(20, 2), torch.randint(2, (20, 2))
    expected = metrics.log_loss(target.reshape(-1).numpy(), prediction.double().sigmoid().reshape(-1).numpy())
    assert_close(LOSS(prediction, target).mean().double(), torch.tensor(expected, dtype=torch.float64), rtol=1e-5, atol=1e-6)


def test_of_one_label_it_is_cross_entropy() -> None:
    prediction, target = torch.randn(20, 1), torch.randint(2, (20, 1))
    two = torch.cat([torch.zeros(20, 1), prediction], 1)
    assert_close(LOSS(prediction, target), CrossEntropy(TargetSpec("tag", {"no": 1, "yes": 1}))(two, target[:, 0]))
