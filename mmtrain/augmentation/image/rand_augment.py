"""A few operations on each picture, drawn from a list."""

import math
from collections.abc import Callable
from typing import Annotated, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from mmtrain.augmentation.image.colour import Colours
from mmtrain.augmentation.image.geometry import affine, warp
from mmtrain.augmentation.image.standard import Standard
from mmtrain.augmentation.image.tone import autocontrast, equalise, posterise, sharpen, solarise
from mmtrain.batch import Image
from mmtrain.option import Count, Fraction, Range
from mmtrain.spec import ImageSpec

Pixels = Float[Tensor, "K C H W"]
Amount = Float[Tensor, " K"]  # from -1 to 1: how far, and which way where an operation has two
Operation = Callable[[Pixels, Amount, Colours], Pixels]

DEGREES, LEAN, MOVED, FACTOR, BITS = 30, 0.3, 0.45, 0.9, 4  # what an operation does at most, as in the paper's code


class RandAugment(nn.Module):
    """`number` operations in a row on each picture, drawn from the 14 of the paper, each at `magnitude` (of 10).

    Nothing, autocontrast, equalise, turn (up to 30 degrees), solarise, posterise (down to 4 bits), saturation, contrast, brightness and
    sharpness (factors 0.1 to 1.9), lean (0.3 a side) and move (45 %) along either axis; which way is drawn. First comes what the paper's
    base line does: `crop` and `flip`, as in `standard`. Colour operations leave opacity as it is.

    Source: Cubuk et al. 2020 (RandAugment), section 3; we interpolate and repeat the border where they leave gaps.
    """

    still: ClassVar[dict[str, float]] = {"magnitude": 0, "crop": 0, "flip": 0}

    def __init__(
        self,
        spec: ImageSpec,
        *,
        number: Count = 2,
        magnitude: Annotated[float, Range(0, 10)] = 5.0,
        crop: Fraction = 0.125,
        flip: Fraction = 0.5,
    ) -> None:
        super().__init__()
        self.number, self.magnitude = number, magnitude
        self.before = Standard(spec, crop=crop, flip=flip)
        self.colours = Colours(spec.channels)

    def forward(self, inputs: Image) -> Image:
        """Other pictures of the same things."""
        pixels = self.before(inputs).pixels.clone()
        for _ in range(self.number):
            # Drawn on the host, so that picking rows never waits for a GPU.
            chosen = torch.randint(len(OPERATIONS), (len(pixels),))
            amounts = (torch.randint(0, 2, (len(pixels),), device=pixels.device) * 2 - 1) * (self.magnitude / 10)
            for place, operation in enumerate(OPERATIONS):
                rows = (chosen == place).nonzero()[:, 0].to(pixels.device, non_blocking=True)
                if len(rows) > 0:
                    pixels[rows] = operation(pixels[rows], amounts[rows], self.colours)
        return Image(pixels)


def _moved(pixels: Pixels, *, angle: Amount | None = None, shear: Amount | None = None, right: Amount | None = None) -> Pixels:
    nothing, whole = pixels.new_zeros(len(pixels)), pixels.new_ones(len(pixels))
    angle, shear = (nothing if value is None else value for value in (angle, shear))
    shift = torch.stack([nothing if right is None else right * pixels.shape[3], nothing], 1)
    return warp(pixels, affine(angle, shear, whole, whole, shift))


def _recoloured(pixels: Pixels, amount: Amount, colours: Colours, changed: str) -> Pixels:
    whole = pixels.new_ones(len(pixels))
    factors = [1 + FACTOR * amount if name == changed else whole for name in ("brightness", "contrast", "saturation")]
    return colours(pixels, *factors, torch.zeros_like(whole))


def _toned(pixels: Pixels, amount: Amount, change: Callable[[Pixels, Amount], Pixels]) -> Pixels:
    """Change the colours, keep the opacity."""
    changed = change(pixels[:, :3], amount)
    return changed if pixels.shape[1] <= 3 else torch.cat([changed, pixels[:, 3:]], 1)


OPERATIONS: tuple[Operation, ...] = (
    lambda pixels, amount, colours: pixels,
    lambda pixels, amount, colours: _moved(pixels, angle=amount * math.radians(DEGREES)),
    lambda pixels, amount, colours: _moved(pixels, shear=(amount * LEAN).atan()),
    lambda pixels, amount, colours: _moved(pixels.mT, shear=(amount * LEAN).atan()).mT,
    lambda pixels, amount, colours: _moved(pixels, right=amount * MOVED),
    lambda pixels, amount, colours: _moved(pixels.mT, right=amount * MOVED).mT,
    lambda pixels, amount, colours: _recoloured(pixels, amount, colours, "brightness"),
    lambda pixels, amount, colours: _recoloured(pixels, amount, colours, "contrast"),
    lambda pixels, amount, colours: _recoloured(pixels, amount, colours, "saturation"),
    lambda pixels, amount, colours: _toned(pixels, FACTOR * amount, sharpen),
    lambda pixels, amount, colours: _toned(pixels, BITS * amount.abs(), posterise),
    lambda pixels, amount, colours: _toned(pixels, amount.abs(), solarise),
    lambda pixels, amount, colours: _toned(pixels, amount, lambda colour, _: autocontrast(colour)),
    lambda pixels, amount, colours: _toned(pixels, amount, lambda colour, _: equalise(colour)),
)
