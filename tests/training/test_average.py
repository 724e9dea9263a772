"""The moving average against its formula, and the weights that are evaluated."""

import torch
from torch import nn
from torch.testing import assert_close

from mmtrain.training.average import Average


def moved(model: nn.Module, by: float) -> None:
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(by)


def test_it_follows_the_formula() -> None:
    model = nn.Linear(2, 1)
    average = Average(model, 0.5)
    expected = model.weight.detach().clone()
    for step in (1, 2, 30):
        moved(model, 1.0)
        average.update(step)
        keep = min(0.5, (1 + step) / (10 + step))
        expected = keep * expected + (1 - keep) * model.weight.detach()
    assert_close(average.state_dict()["weight"], expected)


def test_it_stands_in_for_the_weights_inside_the_block_alone() -> None:
    model = nn.Sequential(nn.Linear(2, 1), nn.BatchNorm1d(1))
    weight, mean = model.get_parameter("0.weight"), model.get_buffer("1.running_mean")
    average, start = Average(model, 0.9), weight.detach().clone()
    moved(model, 1.0)
    mean += 3
    with average.applied():
        assert torch.equal(weight, start)
        assert torch.equal(mean, torch.zeros(1))
    assert torch.equal(weight, start + 1)
    assert torch.equal(mean, torch.full((1,), 3.0))


def test_without_decay_nothing_is_kept() -> None:
    model = nn.Linear(2, 1)
    average = Average(model, 0.0)
    moved(model, 1.0)
    average.update(1)
    with average.applied():
        assert average.state_dict() == {}
        assert model.weight.abs().sum() > 0


def test_it_goes_on_where_it_was_saved() -> None:
    model = nn.Linear(2, 1)
    average, other = Average(model, 0.9), Average(nn.Linear(2, 1), 0.9)
    moved(model, 1.0)
    average.update(5)
    other.load_state_dict(average.state_dict())
    assert torch.equal(other.state_dict()["weight"], average.state_dict()["weight"])
