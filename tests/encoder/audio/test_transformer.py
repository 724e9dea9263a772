import pytest
import torch
from torch.testing import assert_close

from mmtrain.batch import Spectrogram
from mmtrain.encoder.audio import Transformer
from mmtrain.errors import ConfigError
from mmtrain.spec import AudioSpec
from mmtrain.transformer import positions


def sound(frames: int, bands: int) -> Spectrogram:
    return Spectrogram(torch.rand(1, frames, bands) * 5, torch.ones(1, frames, dtype=torch.bool))


@pytest.mark.parametrize(("frames", "bands", "grid"), [(16, 16, (2, 2)), (17, 40, (3, 5)), (1, 3, (1, 1)), (8, 9, (1, 2))])
def test_a_grid_of_patches(frames: int, bands: int, grid: tuple[int, int]) -> None:
    found = Transformer(AudioSpec(bands), layers=1)(sound(frames, bands))
    assert found.grid == grid
    assert found.mask.shape == (1, grid[0] * grid[1])
    assert found.mask.all()


def test_patches_as_written_out() -> None:
    """Cut by slices, filled up with zeros behind the last frame and above the highest band; a patch's place is added."""
    encoder = Transformer(AudioSpec(5), out_dim=8, frames=2, bands=3, layers=2, heads=2).eval()
    inputs = sound(3, 5)
    padded = torch.zeros(4, 6)
    padded[:3, :5] = inputs.bands[0]
    tokens, times = [], positions(2, 8, padded.device)
    for step in range(2):
        for height in range(2):
            patch = padded[2 * step : 2 * step + 2, 3 * height : 3 * height + 3]
            tokens.append(encoder.embedding(patch.reshape(-1)) + times[step] + encoder.heights[height])
    assert_close(encoder(inputs).values, encoder.layers(torch.stack(tokens)[None]), atol=1e-6, rtol=1e-6)


def test_it_hears_when_and_how_high() -> None:
    """The same patch elsewhere makes other tokens, not only the same ones elsewhere."""
    encoder = Transformer(AudioSpec(16), layers=1).eval()
    first = torch.zeros(1, 32, 16)
    first[:, 3, 4] = 5
    inputs = [Spectrogram(bands, torch.ones(1, 32, dtype=torch.bool)) for bands in (first, first.roll(8, 1), first.roll(8, 2))]
    means = [encoder(given).values.mean(1) for given in inputs]
    assert (means[0] - means[1]).abs().max() > 1e-4
    assert (means[0] - means[2]).abs().max() > 1e-4


def test_heads_that_do_not_divide_the_width() -> None:
    with pytest.raises(ConfigError, match="3 heads do not share 128 numbers evenly"):
        Transformer(AudioSpec(40), heads=3)
