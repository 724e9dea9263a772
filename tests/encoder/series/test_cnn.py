import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from mmtrain.batch import Series
from mmtrain.encoder.series import CNN
from mmtrain.spec import SeriesSpec


def series(values: Tensor) -> Series:
    """Where everything is known."""
    return Series(values, torch.ones_like(values, dtype=torch.bool), torch.ones(values.shape[:2], dtype=torch.bool))


@pytest.mark.parametrize(
    ("layers", "stride", "kernel", "length", "tokens"),
    [(4, 2, 5, 1, 1), (4, 2, 5, 8, 1), (4, 2, 4, 9, 2), (3, 3, 5, 100, 12), (3, 1, 8, 7, 7), (1, 2, 5, 7, 7)],
)
def test_a_token_for_each_step_of_the_last_layer(layers: int, stride: int, kernel: int, length: int, tokens: int) -> None:
    """Each layer but the last keeps one of `stride` steps, rounding up, whatever the row is batched with."""
    encoder = CNN(SeriesSpec(1), channels=2, layers=layers, stride=stride, kernel=kernel)
    mask = torch.arange(128) < torch.tensor([[length], [128]])
    found = encoder(Series(torch.rand(2, 128, 1), mask[:, :, None], mask))
    assert found.mask[0].sum() == tokens
    assert found.mask.shape[1] == -(-128 // stride ** (layers - 1))
    assert found.grid is None


def test_it_is_the_network_of_torch() -> None:
    """Where all is known and of one length: convolution, batch normalisation, ReLU."""
    encoder = CNN(SeriesSpec(2), out_dim=3, channels=4, layers=2, kernel=5, stride=2)
    other = nn.Sequential()
    for convolution, stride in zip(encoder.convolutions, (2, 1), strict=True):
        assert isinstance(convolution, nn.Conv1d)
        copied = nn.Conv1d(convolution.in_channels, convolution.out_channels, 5, stride, padding=2, bias=False)
        copied.load_state_dict(convolution.state_dict())
        other.extend([copied, nn.BatchNorm1d(convolution.out_channels), nn.ReLU()])
    values = torch.randn(3, 12, 2)
    expected = encoder.readout(other(torch.cat([values, torch.ones_like(values)], 2).transpose(1, 2)).transpose(1, 2))
    assert_close(encoder(series(values)).values, expected, atol=1e-5, rtol=1e-5)


def test_the_same_shape_later_gives_the_same_tokens_later() -> None:
    encoder = CNN(SeriesSpec(1), channels=4, layers=3).eval()
    first, later = torch.zeros(1, 64, 1), torch.zeros(1, 64, 1)
    first[:, 20:23] = later[:, 40:43] = 2
    assert_close(encoder(series(first)).values[0, 4:8], encoder(series(later)).values[0, 9:13])


def test_what_is_not_known_is_not_zero() -> None:
    encoder = CNN(SeriesSpec(1), channels=4).eval()
    plain = series(torch.zeros(1, 8, 1))
    unknown = Series(plain.values, ~plain.known, plain.mask)
    assert (encoder(plain).values - encoder(unknown).values).abs().max() > 1e-3
