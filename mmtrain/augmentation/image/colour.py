"""Light and colour of pictures, changed by a factor a row."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

LUMA = (0.299, 0.587, 0.114)  # shares of red, green and blue in how light a colour looks (ITU-R BT.601)
YIQ = (LUMA, (0.5959, -0.2746, -0.3213), (0.2115, -0.5227, 0.3112))  # lightness and two axes of colour (NTSC)


class Colours(nn.Module):
    """Brightness, contrast, saturation and hue in one linear map a row, cut off at black and white once, at the end.

    Factors of 1 and a turn of 0 (radians) leave a picture as it is, but for rounding. Brightness moves away from black, contrast from the
    mean grey of the picture, saturation from the pixel's grey; hue turns the plane of the two colour axes of YIQ. Grey
    pictures have neither saturation nor hue; opacity stays as it is.
    """

    grey: Float[Tensor, "C C"]
    turned: Float[Tensor, "C C"]

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.count = min(channels, 3)  # a fourth one is opacity
        luma = torch.tensor(LUMA) if self.count == 3 else torch.ones(1)
        quarter = torch.zeros(self.count, self.count)
        if self.count == 3:
            axes = torch.tensor(YIQ, dtype=torch.float64)
            rotation = torch.tensor([[0, 0, 0], [0, 0, -1], [0, 1, 0]], dtype=torch.float64)
            quarter = (axes.inverse() @ rotation @ axes).float()
        self.register_buffer("grey", luma.expand(self.count, -1).clone(), persistent=False)
        self.register_buffer("turned", quarter, persistent=False)

    def forward(
        self,
        pixels: Float[Tensor, "B C H W"],
        brightness: Float[Tensor, " B"],
        contrast: Float[Tensor, " B"],
        saturation: Float[Tensor, " B"],
        hue: Float[Tensor, " B"],
    ) -> Float[Tensor, "B C H W"]:
        """The same pictures in other colours."""
        seen = pixels[:, : self.count]
        chroma = torch.eye(self.count, device=pixels.device) - self.grey
        coloured = (saturation * hue.cos())[:, None, None] * chroma + (saturation * hue.sin())[:, None, None] * self.turned
        matrix = brightness[:, None, None] * (self.grey + coloured)
        # In [-1, 1], where black is -1: brightness b makes b x + b - 1 of a grey x, contrast c makes c x + (1 - c) mean.
        mean = brightness * (seen.mean((2, 3)) @ self.grey[0]) + brightness - 1
        offset = contrast * (brightness - 1) + (1 - contrast) * mean
        flat = torch.baddbmm(offset[:, None, None], contrast[:, None, None] * matrix, seen.flatten(2))
        changed = flat.view_as(seen).clamp(-1, 1)
        return changed if self.count == pixels.shape[1] else torch.cat([changed, pixels[:, self.count :]], 1)
