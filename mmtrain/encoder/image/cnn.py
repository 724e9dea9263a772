"""A small convolutional network for pictures."""

import torch
from torch import nn

from mmtrain.batch import Image, Tokens
from mmtrain.encoder.image.grid import GridReadout
from mmtrain.encoder.normalisation import MaskedBatchNorm
from mmtrain.option import Count, Dropout
from mmtrain.spec import ImageSpec


class CNN(nn.Module):
    """`layers` convolutions of 3x3, read out as `grid` x `grid` tokens.

    The first convolution has `channels` channels, each further one twice as many, up to four times as many. Each but the last is followed
    by 2x2 maximum pooling, as long as that leaves at least `grid` places a side.

    Source: Simonyan and Zisserman 2015, section 2.1: 3x3 convolutions with 2x2 maximum pooling between them. Ours is far smaller, pools
    after each, normalises (Ioffe and Szegedy 2015), and gives tokens in place of the three large linear layers.
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
        self.out_dim = out_dim
        blocks: list[nn.Module] = []
        side, width = min(spec.height, spec.width), spec.channels
        for layer in range(layers):
            widened = channels * min(2**layer, 4)
            block: list[nn.Module] = [nn.Conv2d(width, widened, 3, padding=1, bias=False)]
            if layer < layers - 1 and side // 2 >= grid:
                block.append(nn.MaxPool2d(2))
                side //= 2
            blocks.append(nn.Sequential(*block, MaskedBatchNorm(widened), nn.ReLU()))
            width = widened
        self.layers = nn.Sequential(*blocks)
        self.readout = GridReadout(width, out_dim, grid=grid, dropout=dropout)

    @property
    def stages(self) -> list[nn.Module]:
        """The layers, from input to output."""
        return list(self.layers)

    def forward(self, inputs: Image) -> Tokens:
        """Tokens row by row of the grid."""
        return self.readout(self.layers(inputs.pixels.contiguous(memory_format=torch.channels_last)))
