"""Pictures cropped, flipped, turned, recoloured and partly hidden."""

import math
from typing import Annotated, ClassVar

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from mmtrain.augmentation.draw import chance, place, uniform
from mmtrain.augmentation.image.colour import Colours
from mmtrain.augmentation.image.geometry import Matrix, affine, warp
from mmtrain.batch import Image
from mmtrain.option import Fraction, Range
from mmtrain.spec import ImageSpec

RATIO = 4 / 3  # how far the sides of a crop may be from those of the picture, one against the other
ERASED, ERASED_RATIO = (0.02, 0.33), 3.3  # share of the picture that is hidden, and how long to how wide


class Standard(nn.Module):
    """What each picture goes through, in this order; an amount of 0 (of 1 for `window`) is off.

    * `crop`: moved by up to this share of its sides, whole pixels: padded and cropped again.
    * `window`: enlarged from a window anywhere in it with this share of its area at least, its shape off by up to 4 to 3
      (Szegedy et al. 2015, section 6, who go down to 0.08).
    * `rotation`: turned either way by up to so many degrees; `shear`: leant likewise.
    * `flip`: left and right exchanged, with this probability. Take 0 where the sides tell classes apart, as for letters.
    * `brightness`, `contrast`, `saturation`: multiplied by a factor off 1 by up to this; `hue`: turned by up to so many degrees.
    * `erase`: with this probability a box of 2 to 33 % of it is grey (Zhong et al. 2020, algorithm 1, who fill it with noise).

    What moves in from outside repeats the border. Off the defaults is what may change what a picture means.
    """

    still: ClassVar[dict[str, float]] = {"crop": 0, "window": 1, "rotation": 0, "shear": 0, "flip": 0}

    def __init__(
        self,
        spec: ImageSpec,
        *,
        crop: Fraction = 0.125,
        window: Annotated[float, Range(above=0, high=1)] = 1.0,
        rotation: Annotated[float, Range(0, 180)] = 0.0,
        shear: Annotated[float, Range(0, below=90)] = 0.0,
        flip: Fraction = 0.5,
        brightness: Fraction = 0.0,
        contrast: Fraction = 0.0,
        saturation: Fraction = 0.0,
        hue: Annotated[float, Range(0, 180)] = 0.0,
        erase: Fraction = 0.0,
    ) -> None:
        super().__init__()
        self.crop, self.window, self.flip, self.erase = crop, window, flip, erase
        self.rotation, self.shear, self.hue = math.radians(rotation), math.radians(shear), math.radians(hue)
        self.factors = (brightness, contrast, saturation)
        self.colours = Colours(spec.channels) if any(self.factors) or hue else None
        self.moves = crop > 0 or window < 1 or rotation > 0 or shear > 0 or flip > 0

    def forward(self, inputs: Image) -> Image:
        """Other pictures of the same things."""
        pixels, device = inputs.pixels, inputs.pixels.device
        if self.moves:
            pixels = warp(pixels, self._matrix(*pixels.shape[2:], rows=len(pixels), device=device))
        if self.colours is not None:
            factors = [uniform(len(pixels), 1 - amount, 1 + amount, device) for amount in self.factors]
            pixels = self.colours(pixels, *factors, uniform(len(pixels), -self.hue, self.hue, device))
        if self.erase:
            pixels = torch.where(self._erased(pixels)[:, None], 0, pixels)
        return Image(pixels)

    def _matrix(self, height: int, width: int, *, rows: int, device: torch.device) -> Matrix:
        area, ratio = uniform(rows, self.window, 1, device), uniform(rows, -math.log(RATIO), math.log(RATIO), device)
        if self.window == 1:
            ratio = torch.zeros_like(ratio)
        wide, high = ((area * torch.exp(sign * ratio)).sqrt().clamp(max=1) for sign in (1, -1))
        shift = []
        for side, share in ((width, wide), (height, high)):
            room = side * (1 - share) / 2  # so far the window's centre can be from that of the picture
            farthest = int(self.crop * side)
            shift.append(room * uniform(rows, -1, 1, device) + torch.randint(-farthest, farthest + 1, (rows,), device=device))
        angle, lean = (uniform(rows, -most, most, device) for most in (self.rotation, self.shear))
        flipped = torch.where(chance(rows, self.flip, device), -wide, wide)  # a window of negative width is one seen from behind
        return affine(angle, lean, flipped, high, torch.stack(shift, 1))

    def _erased(self, pixels: Float[Tensor, "B C H W"]) -> Bool[Tensor, "B H W"]:
        rows, device = len(pixels), pixels.device
        area, ratio = uniform(rows, *ERASED, device), uniform(rows, -math.log(ERASED_RATIO), math.log(ERASED_RATIO), device)
        boxes = []
        for side, sign in zip(pixels.shape[2:], (1, -1), strict=True):
            total = torch.full((rows,), side, device=device)
            extent = (side * (area * torch.exp(sign * ratio)).sqrt()).round().long()
            boxes.append(place(extent.clamp(max=side), total, side))
        hidden = chance(rows, self.erase, device)
        return hidden[:, None, None] & boxes[0][:, :, None] & boxes[1][:, None, :]
