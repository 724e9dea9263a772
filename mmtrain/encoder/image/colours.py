"""Colours as pretrained weights know them."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # mean and deviation of red, green and blue from 0 to 1


class Rescale(nn.Module):
    """Pixels from -1 to 1 to what weights were trained on: of mean 0 and deviation 1 in each colour.

    `mean` and `deviation` are of pixels from 0 to 1. Grey is rescaled by the mean of the colours' numbers; opacity stays as it is.
    """

    mean: Float[Tensor, "C 1 1"]
    deviation: Float[Tensor, "C 1 1"]

    def __init__(self, channels: int, mean: Sequence[float], deviation: Sequence[float]) -> None:
        super().__init__()
        for name, numbers in (("mean", torch.tensor(mean) * 2 - 1), ("deviation", torch.tensor(deviation) * 2)):
            numbers = numbers.mean(0, keepdim=True) if channels == 1 else numbers
            further = torch.full((max(0, channels - len(numbers)),), float(name == "deviation"))
            self.register_buffer(name, torch.cat([numbers, further])[:, None, None], persistent=False)

    def forward(self, pixels: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        """The same pictures in other units."""
        return (pixels - self.mean) / self.deviation


def with_channels(weight: Float[Tensor, "D I H W"], channels: int) -> Float[Tensor, "D C H W"]:
    """The first convolution's weight for pictures of so many channels: summed over the colours for 1, zeros for each further one."""
    if channels == 1:
        return weight.sum(1, keepdim=True)
    further = weight.new_zeros(len(weight), max(0, channels - weight.shape[1]), *weight.shape[2:])
    return torch.cat([weight, further], 1)
