"""Pictures moved, turned and stretched: one look-up for a whole batch, with a matrix a row."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

Pixels = Float[Tensor, "B C H W"]
Matrix = Float[Tensor, "B 2 3"]


def warp(pixels: Pixels, matrix: Matrix) -> Pixels:
    """The picture in which the place p, in pixels from the centre (right, down), shows what the old one has at matrix @ (p, 1).

    Bilinear between pixels; beyond the border, the border goes on. The places are worked out here because a matrix
    product, as in torch's `affine_grid`, may be rounded to fewer digits on a GPU, and takes longer.
    """
    height, width = pixels.shape[2:]
    across = torch.arange(width, device=pixels.device) - (width - 1) / 2
    down = (torch.arange(height, device=pixels.device) - (height - 1) / 2)[:, None]
    places = pixels.new_empty(len(pixels), height, width, 2)  # torch counts in halves of the picture
    for axis, side in enumerate((width, height)):
        right, below, shift = (matrix[:, axis] * (2 / side)).T[..., None, None]
        torch.add(right * across, below * down + shift, out=places[..., axis])
    return functional.grid_sample(pixels, places, padding_mode="border", align_corners=False)


def affine(
    angle: Float[Tensor, " B"],
    shear: Float[Tensor, " B"],
    width: Float[Tensor, " B"],
    height: Float[Tensor, " B"],
    shift: Float[Tensor, "B 2"],
) -> Matrix:
    """A matrix for `warp`: turn counter-clockwise by `angle` and lean by the angle `shear` (both in radians), show a window of the
    share `width` and `height` of the picture's sides, its centre `shift` pixels right of and below the picture's."""
    sine, cosine, lean = angle.sin(), angle.cos(), shear.tan()
    right = torch.stack([cosine * width, (cosine * lean - sine) * height, shift[:, 0]], 1)
    down = torch.stack([sine * width, (sine * lean + cosine) * height, shift[:, 1]], 1)
    return torch.stack([right, down], 1)
