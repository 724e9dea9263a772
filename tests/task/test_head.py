import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from mmtrain.batch import Fused
from mmtrain.task.head import ClassHead, NumberHead, sizes


def fused(vector: Tensor) -> Fused:
    return Fused(vector, {}, torch.ones(len(vector), dtype=torch.bool))


@pytest.mark.parametrize(("hidden", "expected"), [(0, []), (8, [8]), ([8, 4], [8, 4]), ([], [])], ids=str)
def test_sizes(hidden: int | list[int], expected: list[int]) -> None:
    assert sizes(hidden) == expected


def test_without_hidden_layer_it_is_linear() -> None:
    vector, head = torch.randn(4, 6), ClassHead(6, torch.zeros(3), hidden=[], dropout=0.0)
    weight, bias = head.parameters()
    assert_close(head(vector, fused(vector)), vector @ weight.T + bias)


def test_hidden_layers_have_their_sizes() -> None:
    head = ClassHead(6, torch.zeros(3), hidden=[8, 4], dropout=0.0)
    assert [tuple(layer.weight.shape) for layer in head.layers if isinstance(layer, nn.Linear)] == [(8, 6), (4, 8), (3, 4)]


def test_one_number_a_row() -> None:
    vector = torch.randn(1, 6)
    assert NumberHead(6, torch.tensor(0.0), hidden=[4], dropout=0.0)(vector, fused(vector)).shape == (1,)


@pytest.mark.parametrize("hidden", [[], [8], [8, 4]], ids=str)
def test_a_vector_of_zeros_is_answered_with_the_prior_at_first(hidden: list[int]) -> None:
    prior = torch.tensor([-1.0, -2.0, -0.5])
    linear = ClassHead(6, prior, hidden=hidden, dropout=0.0)
    last = [layer for layer in linear.layers if isinstance(layer, nn.Linear)][-1]
    assert_close(last.bias.detach(), prior)
    number = NumberHead(6, torch.tensor(0.7), hidden=[], dropout=0.0)
    assert_close(number(torch.zeros(2, 6), fused(torch.zeros(2, 6))).detach(), torch.tensor([0.7, 0.7]))


@pytest.mark.parametrize("hidden", [[], [8]], ids=str)
def test_dropout_falls_on_every_layer_and_only_in_training(hidden: list[int]) -> None:
    vector, head = torch.randn(50, 6), ClassHead(6, torch.zeros(3), hidden=hidden, dropout=0.5)
    assert not torch.equal(head(vector, fused(vector)), head(vector, fused(vector)))
    head.eval()
    assert_close(head(vector, fused(vector)), head(vector, fused(vector)))


def test_a_row_does_not_see_the_others() -> None:
    vector, head = torch.randn(5, 6), ClassHead(6, torch.zeros(3), hidden=[8], dropout=0.0)
    assert_close(head(vector[2:3], fused(vector[2:3])), head(vector, fused(vector))[2:3], rtol=1e-5, atol=1e-6)
