import torch
from scipy import stats
from torch.testing import assert_close

from mmtrain.loss import Poisson
from mmtrain.spec import TargetSpec

LOSS = Poisson(TargetSpec("visits"))


def test_likelihood_by_scipy() -> None:
    """Less that of the count itself as the rate."""
    prediction, target = torch.randn(40), torch.randint(0, 12, (40,)).float()
    likelihood = [stats.poisson.logpmf(target.numpy(), rate) for rate in (prediction.double().exp().numpy(), target.numpy())]
    assert_close(LOSS(prediction, target).double(), torch.from_numpy(likelihood[1] - likelihood[0]), rtol=1e-4, atol=1e-5)


def test_gradient_is_rate_less_count() -> None:
    prediction, target = torch.tensor([0.0, 1.0, -2.0], requires_grad=True), torch.tensor([0.0, 3.0, 1.0])
    LOSS(prediction, target).sum().backward()
    assert_close(prediction.grad, prediction.detach().exp() - target)


def test_the_best_constant_is_the_mean() -> None:
    target = torch.tensor([0.0, 0.0, 9.0])
    rates = torch.linspace(0.5, 6, 111)
    costs = torch.stack([LOSS(rate.log().expand(3), target).mean() for rate in rates])
    assert_close(rates[costs.argmin()], torch.tensor(3.0))
