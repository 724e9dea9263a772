import io
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import soundfile
import torch
from torch.testing import assert_close

from mmtrain.batch import Audio
from mmtrain.modality import AudioModality, Modality
from mmtrain.spec import AudioSpec
from mmtrain.table import Table

Build = Callable[..., Table]


def tone(hertz: float, seconds: float, rate: int, amplitude: float = 0.5) -> np.ndarray:
    return amplitude * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


def encoded(wave: np.ndarray, rate: int, form: str = "WAV", subtype: str | None = None) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, wave, rate, format=form, subtype=subtype)
    return file.getvalue()


def samples(table: Build, cell: Any, rate: int = 8000, **options: Any) -> np.ndarray:
    rows = table(sound=[cell])
    arrays, present = AudioModality(column="sound", sample_rate=rate, **options).encode(rows)
    assert rows.bad == []
    assert present.all()
    return arrays["samples"][0]


def test_sixteen_bit_samples_are_kept_as_they_are(table: Build) -> None:
    wave = np.array([0, 1, -1, 32767, -32768, 123], np.int16)
    for form in ("WAV", "FLAC", "AIFF"):
        found = samples(table, encoded(wave, 8000, form, "PCM_16"))
        assert found.dtype == np.int16
        np.testing.assert_array_equal(found, wave)


def test_other_formats_are_scaled_and_clipped(table: Build) -> None:
    wave = np.array([0.0, 0.5, -1.0, 1.0, 3.0, -3.0])
    expected = [0, 16384, -32768, 32767, 32767, -32768]
    np.testing.assert_array_equal(samples(table, encoded(wave, 8000, "WAV", "FLOAT")), expected)
    loud = samples(table, encoded(wave.clip(-1, 1), 8000, "WAV", "PCM_U8"))
    np.testing.assert_allclose(loud[:3], expected[:3], atol=256)


@pytest.mark.parametrize(("form", "subtype"), [("OGG", "VORBIS"), ("MP3", "MPEG_LAYER_III")])
def test_lossy_formats_are_close(table: Build, form: str, subtype: str) -> None:
    wave = tone(440, 0.5, 16000)
    found = samples(table, encoded(wave, 16000, form, subtype), 16000)
    assert len(found) == len(wave)
    assert np.corrcoef(found, wave)[0, 1] > 0.99


def test_channels_are_averaged(table: Build) -> None:
    stereo = np.array([[1000, 3000], [-500, -700], [0, 9]], np.int16)
    np.testing.assert_array_equal(samples(table, encoded(stereo, 8000)), [2000, -600, 4])


@pytest.mark.parametrize("rate", [16000, 44100, 11025, 4000])
def test_other_rates_are_resampled(table: Build, rate: int) -> None:
    found = samples(table, encoded(tone(440, 0.5, rate), rate, subtype="FLOAT"), 8000) / 32768
    expected = tone(440, 0.5, 8000)
    assert len(found) == len(expected)
    np.testing.assert_allclose(found[200:-200], expected[200:-200], atol=0.01)


def test_resampling_leaves_no_alias(table: Build) -> None:
    """A tone above half the new rate is gone, instead of coming back as a lower one."""
    found = samples(table, encoded(tone(6000, 0.5, 44100), 44100, subtype="FLOAT"), 8000) / 32768
    assert np.abs(found[200:-200]).max() < 0.01


def test_only_the_first_seconds_are_kept(table: Build) -> None:
    wave = np.arange(1000, dtype=np.int16)
    np.testing.assert_array_equal(samples(table, encoded(wave, 8000), max_seconds=0.01), wave[:80])
    assert len(samples(table, encoded(tone(100, 1, 44100), 44100), max_seconds=0.25)) == 2000


BROKEN = {
    "missing": (None, r"rows.csv, row 2, column 'sound': 'broken.wav' does not exist \(looked for .*broken.wav\)"),
    "empty": (b"", "'broken.wav' is empty"),
    "text": (b"These are words, not a sound at all.", "'broken.wav' cannot be decoded as a sound: Format not recognised."),
    "no samples": (encoded(np.zeros(0), 8000), r"'broken.wav' holds no sound \(0 samples\)"),
    "cut wav": (encoded(tone(440, 1, 8000), 8000)[:5000], "'broken.wav' is cut off: its header announces 16,044 bytes, it has 5,000"),
    "cut flac": (encoded(np.random.default_rng(0).uniform(-1, 1, 8000), 8000, "FLAC")[:5000], "'broken.wav' cannot be decoded as a sound"),
    "cut mp3": (encoded(tone(440, 1, 8000), 8000, "MP3")[:2000], r"'broken.wav' is cut off: [1-9],\d\d\d of 8,000 samples can be decoded"),
    "not finite": (encoded(np.array([0.0, np.nan]), 8000, "WAV", "FLOAT"), "'broken.wav' holds samples that are not finite numbers"),
}


@pytest.mark.parametrize(("content", "message"), BROKEN.values(), ids=BROKEN.keys())
def test_what_cannot_be_read_is_told_and_absent(table: Build, tmp_path: Path, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / "broken.wav").write_bytes(content)
    rows = table(sound=[None, "broken.wav"])
    arrays, present = AudioModality(column="sound").encode(rows)
    assert not present.any()
    assert [len(row) for row in arrays["samples"]] == [0, 0]
    (problem,) = rows.bad
    with pytest.raises(ValueError, match=message):
        raise ValueError(str(problem))


def test_headerless_samples_are_no_sound(table: Build, tmp_path: Path) -> None:
    (tmp_path / "noise.raw").write_bytes(bytes(100))
    rows = table(sound=["noise.raw"])
    AudioModality(column="sound").encode(rows)
    assert rows.bad[0].found == "'noise.raw' cannot be decoded as a sound: it has no header that tells its rate"


def test_a_stream_that_does_not_know_its_length_is_read(table: Build) -> None:
    """A program that writes into a pipe announces the largest size."""
    wave = np.arange(1000, dtype=np.int16)
    content = bytearray(encoded(wave, 8000))
    content[4:8] = content[40:44] = b"\xff\xff\xff\xff"
    np.testing.assert_array_equal(samples(table, bytes(content)), wave)


def batch(*waves: np.ndarray, pad: int = 0) -> Audio:
    """Amplitudes from -1 to 1, as stored."""
    length = max(map(len, waves)) + pad
    values = np.stack([np.pad((wave * 32768).round(), (0, length - len(wave))) for wave in waves]).clip(-32768, 32767)
    mask = np.arange(length) < np.array([[len(wave)] for wave in waves])
    return Audio(torch.from_numpy(values.astype(np.int16)), torch.from_numpy(mask))


def test_frames_as_written_out_in_numpy() -> None:
    modality = AudioModality(column="sound", sample_rate=8000, window_ms=25, hop_ms=10, bands=20)
    wave = np.random.default_rng(0).uniform(-0.9, 0.9, 1000)
    found = modality(batch(wave))
    stored = np.pad((wave * 32768).round() / 32768, (0, 1000))
    mel = modality.mel.double().numpy()
    fft = 2 * (len(mel) - 1)
    window = np.sin(np.pi * np.arange(200) / 200) ** 2
    expected = []
    for frame in range(math.ceil(1000 / 80)):
        spectrum = np.fft.rfft(stored[80 * frame : 80 * frame + 200] * window / window.sum(), fft)
        expected.append(np.log1p((np.abs(spectrum) ** 2) @ mel / 1e-6))
    assert found.bands.shape == (1, 13, 20)
    np.testing.assert_allclose(found.bands[0], expected, rtol=1e-4, atol=1e-4)
    assert modality.spec == AudioSpec(bands=20)


def test_a_tone_lights_its_band() -> None:
    modality = AudioModality(column="sound", sample_rate=8000, bands=40)
    top = 1127 * math.log(1 + 4000 / 700)
    for hertz in (300, 1000, 2500):
        frame = modality(batch(tone(hertz, 0.5, 8000))).bands[0, 20]
        nearest = round(1127 * math.log(1 + hertz / 700) / top * 41) - 1
        assert frame.argmax() == nearest


def test_silence_is_zero() -> None:
    found = AudioModality(column="sound", sample_rate=8000)(batch(np.zeros(800), tone(440, 0.1, 8000)))
    assert not found.bands[0].any()
    assert found.bands[1].min() >= 0


@pytest.mark.parametrize(("length", "frames"), [(1, 1), (79, 1), (80, 1), (81, 2), (160, 2), (1000, 13)])
def test_a_sound_has_its_own_number_of_frames(length: int, frames: int) -> None:
    """ceil(samples / hop), with a hop of 80 samples, alone and beside a longer sound."""
    modality = AudioModality(column="sound", sample_rate=8000)
    wave = np.random.default_rng(0).uniform(-1, 1, length)
    assert modality(batch(wave)).mask.sum() == frames
    found = modality(batch(wave, np.ones(2000)))
    assert found.mask.sum(1).tolist() == [frames, 25]


@pytest.mark.parametrize("pad", [1, 79, 80, 1000])
def test_padding_changes_no_frame(pad: int) -> None:
    modality = AudioModality(column="sound", sample_rate=8000)
    wave = np.random.default_rng(0).uniform(-1, 1, 345)
    plain, padded = modality(batch(wave)), modality(batch(wave, pad=pad))
    frames = plain.bands.shape[1]
    assert_close(padded.bands[:, :frames], plain.bands, atol=1e-6, rtol=1e-6)
    assert not padded.bands[:, frames:].any()
    assert padded.mask.sum() == plain.mask.sum()


def test_a_folder_is_no_sound(table: Build, tmp_path: Path) -> None:
    (tmp_path / "folder.wav").mkdir()
    rows = table(sound=["folder.wav"])
    assert not AudioModality(column="sound").encode(rows)[1].any()
    assert [problem.found.partition(": ")[0] for problem in rows.bad] == ["'folder.wav' cannot be opened"]


def test_what_stands_in_padding_changes_nothing() -> None:
    modality = AudioModality(column="sound", sample_rate=8000)
    clean = batch(tone(440, 0.05, 8000), tone(220, 0.1, 8000))
    noise = Audio(torch.where(clean.mask, clean.samples, 12345), clean.mask)
    assert torch.equal(modality(noise).bands, modality(clean).bands)


def test_half_precision_does_not_reach_the_spectrum() -> None:
    modality = AudioModality(column="sound", sample_rate=8000)
    inputs = batch(tone(440, 0.1, 8000))
    with torch.autocast("cpu", torch.bfloat16):
        found = modality(inputs)
    assert torch.equal(found.bands, modality(inputs).bands)


@pytest.mark.skipif("MMTRAIN_DATA" not in os.environ, reason="MMTRAIN_DATA names no folder of real data")
def test_real_recordings(inputs: Callable[[Modality, Table], Any]) -> None:
    root = Path(os.environ["MMTRAIN_DATA"]) / "avdigits"
    frame = pl.read_csv(root / "val.csv", infer_schema=False).head(64)
    rows = Table(frame, "val.csv", np.arange(1, 65), root)
    modality = AudioModality(column="audio", sample_rate=8000)
    arrays, present = modality.encode(rows)
    assert rows.bad == []
    assert present.all()
    files = [soundfile.read(root / name, dtype="int16")[0] for name in frame["audio"]]
    for found, expected in zip(arrays["samples"], files, strict=True):
        np.testing.assert_array_equal(found, expected)
    bands = inputs(modality, rows).bands
    assert 0 < bands.mean() < 18
