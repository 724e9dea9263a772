"""A small residual network for pictures, to be trained from scratch."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from mmtrain.batch import Image, Tokens
from mmtrain.encoder.image.grid import GridReadout
from mmtrain.encoder.normalisation import MaskedBatchNorm
from mmtrain.option import Count, Dropout
from mmtrain.spec import ImageSpec


class Residual(nn.Module):
    """`levels` levels of `blocks` residual blocks each, read out as `grid` x `grid` tokens.

    The first level has `channels` channels, each further one twice as many. A first convolution of 3x3 has a stride of 2 where the
    picture is at least 48 pixels a side; each further level halves the map, as long as that leaves at least `grid` places a side.

    Source: He et al. 2016, section 4.2 (the networks for small pictures), with a projection where the width changes (their option B),
    and with the read-out in place of the mean over the map.
    """

    def __init__(
        self,
        spec: ImageSpec,
        *,
        out_dim: Count = 128,
        channels: Count = 32,
        levels: Count = 4,
        blocks: Count = 1,
        grid: Count = 4,
        dropout: Dropout = 0.0,
    ) -> None:
        super().__init__()
        self.out_dim = out_dim
        side, width = min(spec.height, spec.width), channels
        stride = 2 if side >= 48 and side // 2 >= grid else 1
        side //= stride
        self.stem = nn.Sequential(
            nn.Conv2d(spec.channels, channels, 3, stride, padding=1, bias=False), MaskedBatchNorm(channels), nn.ReLU()
        )
        self.levels = nn.Sequential()
        for level in range(levels):
            widened = channels * 2**level
            stride = 2 if level > 0 and side // 2 >= grid else 1
            side //= stride
            self.levels.append(nn.Sequential(Block(width, widened, stride), *(Block(widened, widened, 1) for _ in range(blocks - 1))))
            width = widened
        self.readout = GridReadout(width, out_dim, grid=grid, dropout=dropout)

    @property
    def stages(self) -> list[nn.Module]:
        """The blocks of all levels, from input to output."""
        return [block for level in self.levels.children() for block in level.children()]

    def forward(self, inputs: Image) -> Tokens:
        """Tokens row by row of the grid."""
        return self.readout(self.levels(self.stem(inputs.pixels.contiguous(memory_format=torch.channels_last))))


class Block(nn.Module):
    """Two convolutions of 3x3, added to what they read.  Source: He et al. 2016, figure 2."""

    def __init__(self, width: int, widened: int, stride: int) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            nn.Conv2d(width, widened, 3, stride, padding=1, bias=False),
            MaskedBatchNorm(widened),
            nn.ReLU(),
            nn.Conv2d(widened, widened, 3, padding=1, bias=False),
            MaskedBatchNorm(widened),
        )
        self.shortcut = (
            nn.Identity()
            if (width, stride) == (widened, 1)
            else nn.Sequential(nn.Conv2d(width, widened, 1, stride, bias=False), MaskedBatchNorm(widened))
        )

    def forward(self, values: Float[Tensor, "B C H W"]) -> Float[Tensor, "B D h w"]:
        """A map of `widened` channels, smaller by the stride."""
        return functional.relu(self.convolutions(values) + self.shortcut(values))
