"""A small convolutional network for pictures."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from mmtrain.batch import Image, Tokens
from mmtrain.encoder.normalisation import MaskedBatchNorm
from mmtrain.option import Count, Dropout
from mmtrain.spec import ImageSpec


class CNN(nn.Module):
    """`layers` convolutions of 3x3, read out as `grid` x `grid` tokens.

    The first convolution has `channels` channels, each further one twice as many, up to four times as many. Each but the last is followed
    by 2x2 maximum pooling, as long as that leaves at least `grid` places a side. The map is averaged to `grid` x `grid` places, each of
    which has a projection of its own: the mean of the tokens is then one linear map of the whole grid, so that a fusion that
    pools tokens still sees what stands where.
    """

    def __init__(
        self,
        spec: ImageSpec,
        *,
        out_dim: Count = 128,
        channels: Count = 16,
        layers: Count = 4,
        grid: Count = 4,
        dropout: Dropout = 0.0,
    ) -> None:
        super().__init__()
        self.out_dim, self.grid = out_dim, grid
        blocks: list[nn.Module] = []
        side, width = min(spec.height, spec.width), spec.channels
        for layer in range(layers):
            widened = channels * min(2**layer, 4)
            blocks.append(nn.Conv2d(width, widened, 3, padding=1, bias=False))
            if layer < layers - 1 and side // 2 >= grid:
                blocks.append(nn.MaxPool2d(2))
                side //= 2
            blocks += [MaskedBatchNorm(widened), nn.ReLU()]
            width = widened
        self.layers = nn.Sequential(*blocks)
        self.dropout = nn.Dropout(dropout)
        self.readout = PlaceLinear(grid * grid, width, out_dim)

    def forward(self, inputs: Image) -> Tokens:
        """Tokens row by row of the grid."""
        values = self.layers(inputs.pixels.contiguous(memory_format=torch.channels_last))
        places = functional.adaptive_avg_pool2d(values, self.grid).flatten(2).transpose(1, 2)
        tokens = self.readout(self.dropout(places))
        return Tokens(tokens, torch.ones(tokens.shape[:2], dtype=torch.bool, device=tokens.device), (self.grid, self.grid))


class PlaceLinear(nn.Module):
    """A linear map for each place: token l = W_l x_l + b_l."""

    def __init__(self, places: int, in_dim: int, out_dim: int) -> None:
        super().__init__()
        bound = 1 / math.sqrt(in_dim)  # as nn.Linear draws them
        self.weight = nn.Parameter(torch.empty(places, in_dim, out_dim).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(places, 1, out_dim).uniform_(-bound, bound))

    def forward(self, values: Float[Tensor, "B L C"]) -> Float[Tensor, "B L D"]:
        """Map each place by its own matrix."""
        return torch.baddbmm(self.bias, values.transpose(0, 1), self.weight).transpose(0, 1)
