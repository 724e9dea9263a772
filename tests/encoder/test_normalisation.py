import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from mmtrain.encoder.normalisation import MaskedBatchNorm

MASK = torch.tensor([[True, True, True, True], [True, True, False, False], [True, False, False, False]])


def batch() -> Tensor:
    """(B, C, H, W); W is never masked, as the bands of a sound."""
    return 3 * torch.randn(3, 2, 4, 5) + 7


def test_it_is_the_one_of_torch_where_nothing_is_masked() -> None:
    ours, other, values = MaskedBatchNorm(2), nn.BatchNorm2d(2), batch()
    everywhere = torch.ones_like(MASK)
    for mask in (None, everywhere):
        assert_close(ours(values, mask), other(values))
        assert_close(ours.running_mean, other.running_mean)
        assert_close(ours.running_var, other.running_var)
    ours.eval(), other.eval()
    assert_close(ours(values), other(values))


def test_only_what_is_there_counts() -> None:
    ours, values = MaskedBatchNorm(2), batch()
    found = ours(values, MASK)
    for channel in range(2):
        there = values[:, channel][MASK].double()
        expected = (there - there.mean()) / (there.var(correction=0) + 1e-5).sqrt()
        assert_close(found[:, channel][MASK].double(), expected, atol=1e-6, rtol=1e-5)
        assert_close(ours.running_mean[channel].double(), 0.1 * there.mean())
        assert_close(ours.running_var[channel].double(), 0.9 + 0.1 * there.var())


@pytest.mark.parametrize("training", [True, False])
def test_the_rest_is_zero_and_sends_no_gradient(training: bool) -> None:
    ours, values = MaskedBatchNorm(2).train(training), batch().requires_grad_()
    found = ours(values, MASK)
    found.pow(3).sum().backward()
    assert values.grad is not None
    masked = ~MASK[:, None, :, None].expand_as(values)
    assert not found[masked].any()
    assert not values.grad[masked].any()
    assert values.grad[~masked].all()


@pytest.mark.parametrize("mask", [None, torch.tensor([[True]])])
def test_a_single_value_is_normalised_by_what_was_seen_before(mask: Tensor | None) -> None:
    ours = MaskedBatchNorm(2)
    ours.running_mean.fill_(3), ours.running_var.fill_(4)
    found = ours(torch.tensor([5.0, -1.0]).reshape(1, 2, 1, 1), mask)
    assert_close(found.flatten(), torch.tensor([1.0, -2.0]), atol=1e-5, rtol=0)
    assert ours.running_mean.tolist() == [3, 3]
    assert ours.running_var.tolist() == [4, 4]


def test_two_values_are_enough() -> None:
    ours = MaskedBatchNorm(1)
    found = ours(torch.tensor([1.0, 3.0]).reshape(2, 1, 1, 1))
    assert_close(found.flatten(), torch.tensor([-1.0, 1.0]), atol=1e-5, rtol=0)


def test_gradients_are_right() -> None:
    ours = MaskedBatchNorm(2).double()
    values = batch().double().requires_grad_()

    def normalised(given: Tensor) -> Tensor:
        return ours(given, MASK)

    assert torch.autograd.gradcheck(normalised, [values])
