"""The tones of pictures, changed as Pillow does, where no linear map of colours would do."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

Pixels = Float[Tensor, "K C H W"]
LEVELS = 255  # of a byte, above 0


def sharpen(pixels: Pixels, amount: Float[Tensor, " K"]) -> Pixels:
    """Away from the smoothed picture, by this share of the difference, or towards it where that is negative; the outermost pixels stay."""
    if min(pixels.shape[2:]) < 3:
        return pixels
    kernel = pixels.new_ones(3, 3)
    kernel[1, 1] = 5
    channels = pixels.shape[1]
    inner = functional.conv2d(pixels, (kernel / kernel.sum()).expand(channels, 1, 3, 3), groups=channels)
    smooth = pixels.clone()
    smooth[:, :, 1:-1, 1:-1] = inner
    return torch.lerp(smooth, pixels, 1 + amount[:, None, None, None]).clamp(-1, 1)


def posterise(pixels: Pixels, bits: Float[Tensor, " K"]) -> Pixels:
    """Clear so many of the lowest of eight bits, to the nearest whole number."""
    step = 2 ** bits.round()[:, None, None, None]
    levels = ((pixels + 1) * (LEVELS / 2)).round()
    return (levels / step).floor() * step * (2 / LEVELS) - 1


def solarise(pixels: Pixels, amount: Float[Tensor, " K"]) -> Pixels:
    """Turn what lies within this share of the range from white into its negative."""
    return torch.where(pixels >= (1 - 2 * amount)[:, None, None, None], -pixels, pixels)


def autocontrast(pixels: Pixels) -> Pixels:
    """Stretch each channel from black to white."""
    low, high = pixels.amin((2, 3), keepdim=True), pixels.amax((2, 3), keepdim=True)
    even = high <= low
    return torch.where(even, pixels, (pixels - low) * (2 / torch.where(even, 1, high - low)) - 1)


def equalise(pixels: Pixels) -> Pixels:
    """Spread the 256 levels of each channel so that all are used about equally: a level becomes its rank."""
    levels = ((pixels + 1) * (LEVELS / 2)).round().clamp(0, LEVELS).long().flatten(2)
    counts = pixels.new_zeros(*levels.shape[:2], LEVELS + 1).scatter_add_(2, levels, torch.ones_like(levels, dtype=pixels.dtype))
    below, at = counts.cumsum(2) - counts, counts.gather(2, levels.amax(2, keepdim=True))
    step = ((levels.shape[2] - at) / LEVELS).floor()  # as Pillow counts: pixels a level, the brightest level left out
    ranks = ((below + (step / 2).floor()) / step.clamp(min=1)).floor().clamp(max=LEVELS)
    spread = ranks.gather(2, levels).view_as(pixels) * (2 / LEVELS) - 1
    return torch.where((step == 0)[..., None], pixels, spread)
