import numpy as np
import torch
from sklearn import metrics
from torch.testing import assert_close

from mmtrain.loss import Pinball
from mmtrain.spec import TargetSpec

LEVELS = (0.1, 0.5, 0.9)
LOSS = Pinball(TargetSpec("size", quantiles=LEVELS))


def test_by_hand() -> None:
    """1 above costs 0.1, 0.5 and 0.9; 1 below 0.9, 0.5 and 0.1; of one that lies right, nothing."""
    found = LOSS(torch.tensor([[0.0, 0.0, 0.0], [2.0, 2.0, 2.0], [0.0, 1.0, 2.0]]), torch.ones(3))
    assert_close(found, torch.tensor([0.5, 0.5, (0.1 + 0 + 0.1) / 3]))


def test_by_scikit_learn() -> None:
    prediction, target = torch.randn(30, 3), torch.randn(30)
    expected = np.mean([metrics.mean_pinball_loss(target.numpy(), prediction[:, place].numpy(), alpha=q) for place, q in enumerate(LEVELS)])
    assert_close(LOSS(prediction, target).mean(), torch.tensor(float(expected)))


def test_the_best_constants_are_the_quantiles() -> None:
    target, tried = torch.arange(1.0, 11.0), torch.linspace(0, 11, 111)
    for place, expected in enumerate((1.0, 5.0, 9.0)):
        costs = torch.stack([Pinball(TargetSpec("size", quantiles=(LEVELS[place],)))(x.expand(10, 1), target).mean() for x in tried])
        assert costs[(tried - expected).abs().argmin()] <= costs.min() + 1e-6
