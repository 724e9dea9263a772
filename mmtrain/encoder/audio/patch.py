"""Patches of a spectrogram and where they stand, for encoders whose tokens are patches."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from mmtrain.batch import Spectrogram
from mmtrain.transformer import positions


def patches_of(inputs: Spectrogram, frames: int, bands: int) -> tuple[Float[Tensor, "B S H P"], Bool[Tensor, "B S"]]:
    """Patches of `frames` frames and `bands` bands, P numbers each, S of them in time and H in height, and which of the S have a frame.

    Where frames or bands do not come out even, the last patch of time and the highest are filled up with zeros.
    """
    later, above = -inputs.mask.shape[1] % frames, -inputs.bands.shape[2] % bands
    steps = functional.pad(inputs.mask, (0, later)).unflatten(1, (-1, frames)).any(2)
    values = functional.pad(torch.where(inputs.mask[:, :, None], inputs.bands, 0), (0, above, 0, later))
    return values.unflatten(2, (-1, bands)).unflatten(1, (-1, frames)).transpose(2, 3).flatten(3), steps


def with_places(values: Float[Tensor, "B S H D"], heights: Float[Tensor, "H D"]) -> Float[Tensor, "B S H D"]:
    """A patch's place is that of its frames (sines, so that a sound may have any length) and that of its bands (learned `heights`)."""
    times = positions(values.shape[1], values.shape[3], values.device).to(values.dtype)
    return values + times[:, None] + heights
