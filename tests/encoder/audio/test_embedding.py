import torch
from torch.testing import assert_close

from mmtrain.batch import Spectrogram
from mmtrain.encoder.audio import Embedding
from mmtrain.spec import AudioSpec
from mmtrain.transformer import positions


def test_patches_as_written_out() -> None:
    """Cut by slices, filled up with zeros behind the last frame and above the highest band; a patch's place is added."""
    encoder = Embedding(AudioSpec(5), out_dim=8, frames=2, bands=3)
    bands = torch.rand(1, 3, 5) * 5
    padded = torch.zeros(4, 6)
    padded[:3, :5] = bands[0]
    weight, bias = encoder.embedding.parameters()
    times = positions(2, 8, padded.device)
    expected = [
        weight @ padded[2 * step : 2 * step + 2, 3 * height : 3 * height + 3].reshape(-1) + bias + times[step] + encoder.heights[height]
        for step in range(2)
        for height in range(2)
    ]
    found = encoder(Spectrogram(bands, torch.ones(1, 3, dtype=torch.bool)))
    assert found.grid == (2, 2)
    assert_close(found.values[0], torch.stack(expected), atol=1e-5, rtol=1e-5)


def test_no_patch_hears_of_another() -> None:
    encoder, mask = Embedding(AudioSpec(16)), torch.ones(1, 16, dtype=torch.bool)
    silence = torch.zeros(1, 16, 16)
    sound = silence.clone()
    sound[0, 9, 3] = 5  # second patch of time, lowest bands
    difference = encoder(Spectrogram(sound, mask)).values - encoder(Spectrogram(silence, mask)).values
    assert difference[0].abs().sum(1).nonzero().flatten().tolist() == [2]
