import pytest
import torch
from torch.testing import assert_close

from mmtrain.batch import Spectrogram
from mmtrain.encoder.audio import CNN
from mmtrain.spec import AudioSpec


@pytest.mark.parametrize(("layers", "length", "tokens"), [(4, 1, 1), (4, 8, 1), (4, 9, 2), (4, 100, 13), (1, 7, 7), (2, 7, 4)])
def test_a_token_for_each_step_of_time(layers: int, length: int, tokens: int) -> None:
    """Each layer but the last halves time, rounding up."""
    encoder = CNN(AudioSpec(10), channels=2, layers=layers).eval()
    mask = torch.arange(128) < torch.tensor([[length], [128]])
    found = encoder(Spectrogram(torch.rand(2, 128, 10), mask))
    assert found.mask.sum(1).tolist() == [tokens, -(-128 // 2 ** (layers - 1))]
    assert found.grid is None


def test_a_token_tells_which_band_sounded() -> None:
    """The same pattern, eight bands higher, fills another place of the vector that is projected: frequency is not pooled away."""
    encoder = CNN(AudioSpec(40), out_dim=3, channels=1, layers=2).eval()
    with torch.no_grad():
        encoder.readout.weight.zero_()[:, [6, 10]] = torch.eye(3)[:, :2]  # 20 bands remain, with two channels each
    low, high = torch.zeros(1, 40, 40), torch.zeros(1, 40, 40)
    low[:, :, 6], high[:, :, 10] = 3, 3
    everywhere = torch.ones(1, 40, dtype=torch.bool)
    first, second = (encoder(Spectrogram(bands, everywhere)).values - encoder.readout.bias for bands in (low, high))
    assert_close(first[..., 0], second[..., 1])
    assert first[..., 0].any()


def test_a_later_sound_gives_later_tokens() -> None:
    encoder = CNN(AudioSpec(10), channels=4).eval()
    click, later = torch.zeros(1, 80, 10), torch.zeros(1, 80, 10)
    click[:, 24], later[:, 48] = 4, 4
    everywhere = torch.ones(1, 80, dtype=torch.bool)
    first, second = (encoder(Spectrogram(bands, everywhere)).values[0] for bands in (click, later))
    assert_close(first[1:6], second[4:9])  # 24 frames are three tokens
