from collections.abc import Callable

import torch
from torch import nn
from torch.testing import assert_close

from mmtrain.batch import Text
from mmtrain.encoder.text import LSTM
from mmtrain.spec import TextSpec


def test_it_is_the_network_of_torch_over_the_words(make_text: Callable[..., Text]) -> None:
    """Of one row without padding, whose second direction torch turns around itself."""
    encoder = LSTM(TextSpec(9), out_dim=4, embedding_dim=6, hidden=5).eval()
    other = nn.LSTM(6, 5, batch_first=True, bidirectional=True)
    assert encoder.layers.backwards is not None
    for layer, suffix in ((encoder.layers.forwards[0], ""), (encoder.layers.backwards[0], "_reverse")):
        for name, weight in layer.named_parameters():
            getattr(other, name + suffix).data.copy_(weight)
    text = make_text([[2, 7, 1, 3]])
    expected = encoder.layers.readout(other(encoder.words(text))[0])
    assert_close(encoder(text).values, expected, atol=1e-6, rtol=1e-6)


def test_one_direction_hears_nothing_from_behind(make_text: Callable[..., Text]) -> None:
    encoder = LSTM(TextSpec(9), bidirectional=False).eval()
    difference = encoder(make_text([[2, 3, 6, 5]])).values - encoder(make_text([[2, 3, 4, 5]])).values
    assert torch.equal(difference[0].abs().sum(1).nonzero().flatten(), torch.tensor([2, 3]))
