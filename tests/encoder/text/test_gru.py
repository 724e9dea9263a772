import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from torch.testing import assert_close

from mmtrain.batch import Text
from mmtrain.encoder.text import GRU
from mmtrain.spec import TextSpec

LENGTHS = torch.tensor([5, 1, 3])
MASK = torch.arange(5) < LENGTHS[:, None]
IDS = torch.where(MASK, torch.randint(1, 9, (3, 5), generator=torch.Generator().manual_seed(0)), 0)


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("bidirectional", [True, False])
def test_it_is_the_packed_network_of_torch(layers: int, bidirectional: bool) -> None:
    encoder = GRU(TextSpec(9), out_dim=4, embedding_dim=6, hidden=5, layers=layers, bidirectional=bidirectional).eval()
    other = nn.GRU(6, 5, layers, batch_first=True, bidirectional=bidirectional)
    for direction, suffix in ((encoder.forwards, ""), (encoder.backwards, "_reverse")):
        for number, layer in enumerate(direction or []):
            for name, weight in layer.named_parameters():
                getattr(other, name.removesuffix("0") + str(number) + suffix).data.copy_(weight)
    packed = pack_padded_sequence(encoder.words(IDS, MASK), LENGTHS, batch_first=True, enforce_sorted=False)
    states, _ = pad_packed_sequence(other(packed)[0], batch_first=True)
    expected = torch.where(MASK[:, :, None], encoder.readout(states), 0)
    assert_close(encoder(Text(IDS, MASK, torch.zeros(*MASK.shape, 0, dtype=torch.int64))).values, expected, atol=1e-6, rtol=1e-6)


def test_order_matters() -> None:
    encoder = GRU(TextSpec(9)).eval()
    ids, mask = torch.tensor([[2, 3, 4]]), torch.ones(1, 3, dtype=torch.bool)
    turned = encoder(Text(ids.flip(1), mask, torch.zeros(*mask.shape, 0, dtype=torch.int64))).values.flip(1)
    assert (turned - encoder(Text(ids, mask, torch.zeros(*mask.shape, 0, dtype=torch.int64))).values).abs().max() > 1e-3


def test_the_direction_decides_who_hears_of_a_change() -> None:
    ids, mask = torch.tensor([[2, 3, 4, 5]]), torch.ones(1, 4, dtype=torch.bool)
    changed = torch.tensor([[2, 3, 6, 5]])
    for bidirectional, moved in ((False, [2, 3]), (True, [0, 1, 2, 3])):
        encoder = GRU(TextSpec(9), bidirectional=bidirectional).eval()
        difference = (encoder(Text(changed, mask, torch.zeros(*mask.shape, 0, dtype=torch.int64))).values - encoder(Text(ids, mask, torch.zeros(*mask.shape, 0, dtype=torch.int64))).values)[0].abs().sum(1)
        assert difference.nonzero().flatten().tolist() == moved
