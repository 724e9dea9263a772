import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from torch.testing import assert_close

from mmtrain.encoder.recurrent import Recurrent

LENGTHS = torch.tensor([5, 1, 3])
MASK = torch.arange(5) < LENGTHS[:, None]


@pytest.mark.parametrize("cell", [nn.GRU, nn.LSTM])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("bidirectional", [True, False])
def test_it_is_the_packed_network_of_torch(cell: type[nn.GRU] | type[nn.LSTM], layers: int, bidirectional: bool) -> None:
    ours = Recurrent(cell, 6, 4, hidden=5, layers=layers, bidirectional=bidirectional, dropout=0.0)
    other = cell(6, 5, layers, batch_first=True, bidirectional=bidirectional)
    for direction, suffix in ((ours.forwards, ""), (ours.backwards, "_reverse")):
        for number, layer in enumerate(direction or []):
            for name, weight in layer.named_parameters():
                getattr(other, name.removesuffix("0") + str(number) + suffix).data.copy_(weight)
    values = torch.randn(3, 5, 6)
    packed = pack_padded_sequence(values, LENGTHS, batch_first=True, enforce_sorted=False)
    states, _ = pad_packed_sequence(other(packed)[0], batch_first=True)
    expected = torch.where(MASK[:, :, None], ours.readout(states), 0)
    assert_close(ours(values, MASK), expected, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("noise", [float("inf"), float("nan")])
def test_what_is_masked_is_not_read(noise: float) -> None:
    ours = Recurrent(nn.GRU, 6, 4, hidden=5, layers=2, bidirectional=True, dropout=0.0)
    values = torch.randn(3, 5, 6)
    noisy = torch.where(MASK[:, :, None], values, noise)
    assert torch.equal(ours(noisy, MASK), ours(values, MASK))


def test_dropout_acts_in_front_of_each_layer_and_behind() -> None:
    """With a dropout that keeps next to nothing, only the biases are left: all places of a batch say the same."""
    ours = Recurrent(nn.GRU, 6, 4, hidden=5, layers=1, bidirectional=False, dropout=0.999999)
    assert_close(ours(torch.randn(2, 3, 6), torch.ones(2, 3, dtype=torch.bool)), ours.readout.bias.expand(2, 3, 4))
