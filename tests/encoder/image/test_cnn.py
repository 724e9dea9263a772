import pytest
import torch
from torch import nn

from mmtrain.batch import Image
from mmtrain.encoder.image import CNN
from mmtrain.spec import ImageSpec


@pytest.mark.parametrize(
    ("size", "layers", "grid", "pooled"),
    [((28, 28), 4, 4, 2), ((64, 64), 4, 4, 3), ((224, 160), 6, 4, 5), ((8, 8), 4, 4, 1), ((7, 7), 4, 4, 0), ((28, 28), 2, 1, 1)],
)
def test_pooling_goes_no_further_than_the_grid(size: tuple[int, int], layers: int, grid: int, pooled: int) -> None:
    encoder = CNN(ImageSpec(1, *size), channels=2, layers=layers, grid=grid)
    assert sum(isinstance(layer, nn.MaxPool2d) for layer in encoder.modules()) == pooled
    tokens = encoder(Image(torch.randn(2, 1, *size)))
    assert tokens.values.shape == (2, grid * grid, 128)
    assert tokens.grid == (grid, grid)


def test_channels_double_up_to_four_times() -> None:
    encoder = CNN(ImageSpec(3, 32, 32), channels=8, layers=5)
    widths = [(layer.in_channels, layer.out_channels) for layer in encoder.modules() if isinstance(layer, nn.Conv2d)]
    assert widths == [(3, 8), (8, 16), (16, 32), (32, 32), (32, 32)]


def test_tokens_lie_row_by_row() -> None:
    """A change in one corner of the picture moves the tokens near that corner, and no other."""
    encoder = CNN(ImageSpec(1, 32, 32), channels=4, layers=2).eval()
    plain = torch.zeros(1, 1, 32, 32)
    spot = plain.clone()
    spot[..., 1, 30] = 5  # top right
    moved = (encoder(Image(spot)).values - encoder(Image(plain)).values)[0].abs().sum(1) > 0
    assert moved.nonzero().flatten().tolist() == [3]
