from typing import Any

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from mmtrain.augmentation.audio import Standard
from mmtrain.augmentation.audio.standard import louder, rolled
from mmtrain.batch import Audio, Spectrogram
from mmtrain.modality import AudioModality
from mmtrain.spec import AudioSpec

OFF = {"gain": 0, "shift": 0, "time_masks": 0, "frequency_masks": 0}
LENGTHS = torch.tensor([20, 10, 5, 1])


def sounds(rows: int = 1) -> Spectrogram:
    """Four lengths, `rows` of each; no frame or band of them is silent."""
    mask = (torch.arange(20) < LENGTHS[:, None]).repeat_interleave(rows, 0)
    return Spectrogram(torch.where(mask[:, :, None], torch.rand(len(mask), 20, 10) + 0.1, 0), mask)


def augmented(inputs: Spectrogram, **options: Any) -> Tensor:
    found = Standard(AudioSpec(10), **OFF | options)(inputs)
    assert torch.equal(found.mask, inputs.mask)
    return found.bands


@pytest.mark.parametrize("factor", [2, 4])
def test_gain_is_what_a_louder_recording_gives(factor: int) -> None:
    modality = AudioModality(column="sound", sample_rate=8000, bands=16)
    samples, mask = torch.randint(-4000, 4000, (3, 900)), torch.arange(900) < torch.tensor([[900], [500], [80]])
    samples[:, :300] = 0  # silence first
    quiet, loud = (modality(Audio(torch.where(mask, samples * times, 0).short(), mask)).bands for times in (1, factor))
    decibels = 20 * torch.log10(torch.tensor(float(factor)))
    assert_close(louder(quiet, decibels.expand(3)), loud, atol=1e-4, rtol=1e-5)
    assert_close(louder(loud, -decibels.expand(3)), quiet, atol=1e-4, rtol=1e-4)
    assert torch.equal(louder(quiet, decibels.expand(3)) == 0, quiet == 0)


def test_gain_is_drawn_evenly_between_its_bounds() -> None:
    inputs = sounds(300)
    found = augmented(inputs, gain=6)
    ratio = (torch.expm1(found) / torch.expm1(inputs.bands))[:, 0]
    decibels = 10 * torch.log10(ratio)
    assert_close(decibels.amax(1), decibels.amin(1), atol=1e-2, rtol=0)  # one for all of a row
    assert decibels.abs().max() <= 6.01
    assert abs(float(decibels[:, 0].mean())) < 0.4
    assert abs(float(decibels[:, 0].std()) - 12 / 12**0.5) < 0.2


def test_a_shift_rolls_each_row_in_its_own_length() -> None:
    inputs, share = sounds(), torch.tensor([0.25, -0.5, 0.2, 0.9])
    found = rolled(inputs.bands, inputs.mask, share)
    for row, (length, places) in enumerate(zip(LENGTHS.tolist(), [5, -5, 1, 1], strict=True)):
        assert torch.equal(found[row, :length], inputs.bands[row, :length].roll(places, 0))
        assert not found[row, length:].any()


def test_shifts_go_both_ways_and_no_further_than_asked() -> None:
    inputs = sounds(300)
    rows = zip(augmented(inputs, shift=0.25)[:300, :, 0], inputs.bands[:300, :, 0], strict=True)
    moved = {next(by for by in range(-5, 6) if torch.equal(row.roll(-by), old)) for row, old in rows}
    assert moved == set(range(-5, 6))


def test_masks_silence_runs_of_frames_and_bands() -> None:
    inputs = sounds(300)
    hidden = augmented(inputs, time_masks=1, time_width=0.4) == 0
    frames = hidden.all(2) & inputs.mask
    assert torch.equal(hidden, (frames | ~inputs.mask)[:, :, None].expand_as(hidden))
    assert [int(rows.max()) for rows in frames.sum(1).view(4, 300)] == [8, 4, 2, 0]
    assert ((frames[:, 1:] & ~frames[:, :-1]).sum(1) + frames[:, 0] <= 1).all()
    bands = augmented(inputs, frequency_masks=2, frequency_width=0.3)[:, 0] == 0
    assert set(bands.sum(1).tolist()) == set(range(7))
    assert ((bands[:, 1:] & ~bands[:, :-1]).sum(1) + bands[:, 0] <= 2).all()
    assert bands.float().mean(0).min() > 0.05
