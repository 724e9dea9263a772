"""Sounds made louder or softer, shifted, and partly silenced."""

import math
from typing import Annotated

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from mmtrain.augmentation.draw import span, uniform
from mmtrain.batch import Spectrogram
from mmtrain.option import Fraction, NonNegative, Range
from mmtrain.spec import AudioSpec


class Standard(nn.Module):
    """What each sound goes through, in this order; an amount of 0 is off.

    * `gain`: made louder or softer by up to so many decibels, exactly as if the recording had been.
    * `shift`: moved by up to this share of its own length, whole frames; what leaves at one end enters at the other.
    * `time_masks` runs of frames, each of up to `time_width` of the sound's own length, and `frequency_masks` runs of bands, each of up to
      `frequency_width` of them, are silenced (Park et al. 2019, SpecAugment, section 2, without time warping).
    """

    def __init__(
        self,
        spec: AudioSpec,
        *,
        gain: NonNegative = 6.0,
        shift: Fraction = 0.1,
        time_masks: Annotated[int, Range(0)] = 1,
        time_width: Fraction = 0.2,
        frequency_masks: Annotated[int, Range(0)] = 1,
        frequency_width: Fraction = 0.2,
    ) -> None:
        super().__init__()
        self.bands = spec.bands
        self.gain, self.shift = gain, shift
        self.time_masks, self.time_width = time_masks, time_width
        self.frequency_masks, self.frequency_width = frequency_masks, frequency_width

    def forward(self, inputs: Spectrogram) -> Spectrogram:
        """Other recordings of the same things, as long as before."""
        bands, mask = torch.where(inputs.mask[:, :, None], inputs.bands, 0), inputs.mask
        if self.gain:
            bands = louder(bands, uniform(len(bands), -self.gain, self.gain, bands.device))
        if self.shift:
            bands = rolled(bands, mask, uniform(len(bands), -self.shift, self.shift, bands.device))
        return Spectrogram(torch.where(self._silenced(mask), 0, bands), mask)

    def _silenced(self, mask: Bool[Tensor, "B T"]) -> Bool[Tensor, "B T F"]:
        """What the masks hide; at least the padding."""
        frames = mask.sum(1)
        hidden = ~mask[:, :, None].expand(-1, -1, self.bands)
        for _ in range(self.time_masks):
            hidden = hidden | span(frames, mask.shape[1], self.time_width)[:, :, None]
        for _ in range(self.frequency_masks):
            hidden = hidden | span(torch.full_like(frames, self.bands), self.bands, self.frequency_width)[:, None, :]
        return hidden


def louder(bands: Float[Tensor, "B T F"], decibels: Float[Tensor, " B"]) -> Float[Tensor, "B T F"]:
    """ln(1 + p) to ln(1 + factor p): silence stays 0, whatever power p is counted in."""
    factor = torch.exp(decibels * (math.log(10) / 10))
    return torch.log1p(factor[:, None, None] * torch.expm1(bands))


def rolled(bands: Float[Tensor, "B T F"], mask: Bool[Tensor, "B T"], share: Float[Tensor, " B"]) -> Float[Tensor, "B T F"]:
    """Each row later by a share of its own length; masks are true from the first frame on, and padding stays where it is."""
    frames = mask.sum(1, keepdim=True)
    places = torch.arange(mask.shape[1], device=mask.device)
    source = torch.where(mask, (places - (share[:, None] * frames).round().long()) % frames.clamp(min=1), places)
    return bands.gather(1, source[:, :, None].expand_as(bands))
