import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from torch.testing import assert_close

from mmtrain.batch import Series
from mmtrain.encoder.series import GRU
from mmtrain.spec import SeriesSpec


def test_it_is_the_packed_network_of_torch() -> None:
    """Values and flags side by side enter."""
    lengths = torch.tensor([5, 1, 3])
    mask = torch.arange(5) < lengths[:, None]
    known = (torch.rand(3, 5, 2) > 0.3) & mask[:, :, None]
    values = torch.where(known, torch.randn(3, 5, 2), 0)
    encoder = GRU(SeriesSpec(2), out_dim=6, hidden=5).eval()
    other = nn.GRU(4, 5, batch_first=True, bidirectional=True)
    for direction, suffix in ((encoder.layers.forwards, ""), (encoder.layers.backwards, "_reverse")):
        assert isinstance(direction, nn.ModuleList)
        for name, weight in direction[0].named_parameters():
            getattr(other, name + suffix).data.copy_(weight)
    packed = pack_padded_sequence(torch.cat([values, known.float()], 2), lengths, batch_first=True, enforce_sorted=False)
    states, _ = pad_packed_sequence(other(packed)[0], batch_first=True)
    expected = torch.where(mask[:, :, None], encoder.layers.readout(states), 0)
    assert_close(encoder(Series(values, known, mask)).values, expected, atol=1e-6, rtol=1e-6)
