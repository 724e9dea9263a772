import pytest
import torch
from torch.testing import assert_close

from mmtrain.batch import Series
from mmtrain.encoder.series import Transformer
from mmtrain.errors import ConfigError
from mmtrain.spec import SeriesSpec
from mmtrain.transformer import positions


def series(length: int, channels: int = 2) -> Series:
    values = torch.randn(1, length, channels)
    return Series(values, torch.ones_like(values, dtype=torch.bool), torch.ones(1, length, dtype=torch.bool))


@pytest.mark.parametrize(("length", "tokens"), [(1, 1), (8, 1), (9, 2), (24, 3)])
def test_a_token_for_each_patch(length: int, tokens: int) -> None:
    found = Transformer(SeriesSpec(2), patch=8, layers=1)(series(length))
    assert found.mask.shape == (1, tokens)
    assert found.mask.all()


def test_patches_as_written_out() -> None:
    """Step by step values, then flags; the last patch is filled with zeros; positions are added."""
    encoder = Transformer(SeriesSpec(2), out_dim=8, patch=2, layers=2, heads=2).eval()
    inputs = series(3)
    one, nothing = torch.ones(2), torch.zeros(4)
    first, second, third = inputs.values[0]
    patches = torch.stack([torch.cat([first, one, second, one]), torch.cat([third, one, nothing])])
    expected = encoder.layers(encoder.embedding(patches)[None] + positions(2, 8, patches.device))
    assert_close(encoder(inputs).values, expected, atol=1e-6, rtol=1e-6)


def test_order_matters() -> None:
    encoder = Transformer(SeriesSpec(2), patch=4, layers=1).eval()
    inputs = series(8)
    turned = Series(inputs.values.roll(4, 1), inputs.known, inputs.mask)
    assert (encoder(turned).values.roll(1, 1) - encoder(inputs).values).abs().max() > 1e-3


def test_heads_that_do_not_divide_the_width() -> None:
    with pytest.raises(ConfigError, match="3 heads do not share 128 numbers evenly"):
        Transformer(SeriesSpec(2), heads=3)
