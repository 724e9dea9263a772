"""Sound: decoded by soundfile, stored as 16-bit samples, turned into a log-mel spectrogram on the device."""

import math
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
import soundfile
import torch
from jaxtyping import Float
from torch import Tensor, nn

from mmtrain.batch import Audio, Spectrogram
from mmtrain.modality.cell import UnreadableError, describe, encoded_file, filled_cells
from mmtrain.modality.mel import mel_matrix
from mmtrain.modality.protocol import Ragged
from mmtrain.option import Column, Positive, Range
from mmtrain.spec import AudioSpec
from mmtrain.table import Table

FULL_SCALE = 32768  # an int16 sample s stands for the amplitude s / 32768
STREAMED = 0x7FFF0000  # from this size on, a WAV header says "until the stream ends"
FLOOR = 1e-6  # power of a band that counts as silence, where a full-scale tone has 0.25


class AudioModality(nn.Module):
    """A sound a row, given as a path or as the encoded file (WAV, FLAC, OGG, MP3, ...).

    Channels are averaged, other rates resampled to `sample_rate` (Hz), and the first `max_seconds` are kept. Calling it gives
    the log-mel spectrogram: every `hop_ms` milliseconds one frame of `window_ms` (Hann), with `bands` mel bands as
    ln(1 + power / 1e-6), so that silence is exactly 0, as is padding. A sound of n samples has ceil(n / hop) frames,
    whatever it is batched with.
    """

    kind: ClassVar[str] = "audio"
    files: ClassVar[bool] = True
    window: Float[Tensor, " window"]
    mel: Float[Tensor, "bins bands"]

    def __init__(
        self,
        *,
        column: Column,
        sample_rate: Annotated[int, Range(1000)] = 16000,
        max_seconds: Positive = 10.0,
        window_ms: Annotated[float, Range(1)] = 25.0,
        hop_ms: Annotated[float, Range(1)] = 10.0,
        bands: Annotated[int, Range(1, 512)] = 40,
    ) -> None:
        super().__init__()
        self.column = column
        self.sample_rate, self.max_seconds, self.bands = sample_rate, max_seconds, bands
        self.hop = round(sample_rate * hop_ms / 1000)
        window = torch.hann_window(round(sample_rate * window_ms / 1000))
        mel = mel_matrix(bands, sample_rate, at_least=len(window))
        self.length = 2 * (len(mel) - 1)  # of the Fourier transform: a window, then zeros
        self.register_buffer("window", window / window.sum(), persistent=False)
        self.register_buffer("mel", mel, persistent=False)

    @property
    def columns(self) -> list[str]:
        """The one column that holds the sounds."""
        return [self.column]

    @property
    def recipe(self) -> dict[str, Any]:
        """The options that `encode` depends on."""
        return {"sample_rate": self.sample_rate, "max_seconds": self.max_seconds}

    @property
    def spec(self) -> AudioSpec:
        """Width of a frame."""
        return AudioSpec(self.bands)

    @property
    def most_bytes(self) -> int:
        """Of a stored row."""
        return 2 * math.ceil(self.max_seconds * self.sample_rate)

    def fit(self, table: Table) -> None:
        """Nothing to learn: the spectrogram is scaled by a constant."""

    def state(self) -> dict[str, Any]:
        """Nothing was learned."""
        return {}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Nothing to restore."""

    def encode(self, table: Table) -> tuple[dict[str, np.ndarray | list[np.ndarray]], np.ndarray]:
        """`samples`: a vector of int16 a row, at `sample_rate`."""
        samples = [np.zeros(0, np.int16) for _ in range(len(table))]
        for row, cell in filled_cells(table, self.column):
            try:
                samples[row] = self._samples(table, cell)
            except UnreadableError as error:
                table.reject(row, self.column, str(error))
        return {"samples": list(samples)}, np.array([len(row) > 0 for row in samples], bool)

    def _samples(self, table: Table, cell: str | bytes) -> np.ndarray:
        wave, rate = _decoded(encoded_file(table, cell), describe(cell), self.max_seconds)
        if len(wave) == 0:
            raise UnreadableError(f"{describe(cell)} holds no sound (0 samples)")
        if not np.isfinite(wave).all():
            raise UnreadableError(f"{describe(cell)} holds samples that are not finite numbers")
        resampled = _resampled(wave, rate, self.sample_rate)[: math.ceil(self.max_seconds * self.sample_rate)]
        return (resampled * FULL_SCALE).round().clip(-FULL_SCALE, FULL_SCALE - 1).astype(np.int16)

    def collate(self, stored: Mapping[str, Ragged], rows: np.ndarray) -> Audio:
        """Samples as stored, (K, T) int16."""
        samples, mask = stored["samples"].pad(rows)
        return Audio(torch.from_numpy(samples), torch.from_numpy(mask))

    def forward(self, inputs: Audio) -> Spectrogram:
        """Log-mel frames, (K, ceil(T / hop), bands)."""
        count = -(-inputs.samples.shape[1] // self.hop)
        mask = torch.arange(count, device=inputs.mask.device) * self.hop < inputs.mask.sum(1, keepdim=True)
        bands = self.mel.new_zeros(*mask.shape, self.bands)
        if count > 0:
            # Zeros for the last frame to look at, so that the padding of a batch never decides how many frames there are.
            missing = (count - 1) * self.hop + len(self.window) - inputs.samples.shape[1]
            waves = nn.functional.pad(torch.where(inputs.mask, inputs.samples, 0).float(), (0, missing)) / FULL_SCALE
            bands[mask] = self._log_mel(waves.unfold(1, len(self.window), self.hop)[mask])
        return Spectrogram(bands, mask)

    def _log_mel(self, frames: Float[Tensor, "N window"]) -> Float[Tensor, "N bands"]:
        with torch.autocast(frames.device.type, enabled=False):  # powers span more than half precision can hold
            spectrum = torch.fft.rfft(frames * self.window, self.length)
            power = spectrum.real.square() + spectrum.imag.square()
            return torch.log1p(power @ self.mel / FLOOR)


def _wav_size(file: Path | BytesIO) -> tuple[int, int]:
    """Bytes of the file, and bytes that its header announces: 0 where it is no WAV, or was a stream whose end nobody knew."""
    if isinstance(file, Path):
        size = file.stat().st_size
        with file.open("rb") as opened:
            head = opened.read(8)
    else:
        size, head = len(file.getbuffer()), file.getvalue()[:8]
    announced = int.from_bytes(head[4:], "little") + 8
    return size, announced if head[:4] == b"RIFF" and announced < STREAMED else 0


def _decoded(file: Path | BytesIO, name: str, max_seconds: float) -> tuple[np.ndarray, int]:
    """The first seconds of a sound, its channels averaged, (T,) float32 from -1 to 1; and its rate in Hz."""
    try:
        size, announced = _wav_size(file)
    except OSError as error:  # a folder, or a file that may not be read
        raise UnreadableError(f"{name} cannot be opened: {error}") from None
    if size < announced:  # the decoder would take what is there for the whole
        raise UnreadableError(f"{name} is cut off: its header announces {announced:,} bytes, it has {size:,}")
    try:
        with soundfile.SoundFile(file) as sound:
            wanted = min(sound.frames, math.ceil(max_seconds * sound.samplerate))
            wave = sound.read(wanted, dtype="float32", always_2d=True).mean(1)
    except soundfile.LibsndfileError as error:
        raise UnreadableError(f"{name} cannot be decoded as a sound: {error.error_string}") from None
    except TypeError:
        raise UnreadableError(f"{name} cannot be decoded as a sound: it has no header that tells its rate") from None
    if len(wave) < wanted:
        raise UnreadableError(f"{name} is cut off: {len(wave):,} of {wanted:,} samples can be decoded")
    return wave, sound.samplerate


def _resampled(wave: np.ndarray, rate: int, wanted: int) -> np.ndarray:
    """The same sound at another rate, by a polyphase low-pass filter."""
    if rate == wanted:
        return wave
    from scipy.signal import resample_poly  # a second to import, and most sounds need none

    common = math.gcd(rate, wanted)
    return resample_poly(wave, wanted // common, rate // common)
