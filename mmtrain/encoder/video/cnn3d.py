"""A small convolutional network over space and time."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from mmtrain.batch import Tokens, Video
from mmtrain.encoder.normalisation import MaskedBatchNorm
from mmtrain.option import Count, Dropout
from mmtrain.spec import VideoSpec


class CNN3D(nn.Module):
    """`layers` convolutions over space and time, read out as one token a frame.

    The first layer has `channels` channels, each further one twice as many, up to four times as many; each but the last halves height
    and width, and none halves time, so that clips may be short. With `factorised` a layer is a convolution of 3x3 over space, normalised
    and rectified, then one of 3 over time, of together about as many weights as the convolution of 3x3x3 that it is without.
    A token is a projection of all channels of `grid` x `grid` places of its frame.

    Source: Tran et al. 2015 (C3D), section 3.2; factorised as in Tran et al. 2018 (R(2+1)D), section 3.5, without residual connections.
    """

    def __init__(
        self,
        spec: VideoSpec,
        *,
        out_dim: Count = 128,
        channels: Count = 16,
        layers: Count = 4,
        grid: Count = 2,
        factorised: bool = True,
        dropout: Dropout = 0.0,
    ) -> None:
        super().__init__()
        self.out_dim, self.grid = out_dim, grid
        widths = [spec.channels, *(channels * min(2**layer, 4) for layer in range(layers))]
        blocks: list[nn.Module] = []
        for layer in range(layers):
            halved = 2 if layer < layers - 1 else 1
            width, widened = widths[layer], widths[layer + 1]
            if factorised:
                between = max(1, 27 * width * widened // (9 * width + 3 * widened))
                blocks += [Convolution(width, between, (1, 3, 3), halved), Convolution(between, widened, (3, 1, 1), 1)]
            else:
                blocks.append(Convolution(width, widened, (3, 3, 3), halved))
        self.layers = nn.ModuleList(blocks)
        self.dropout = nn.Dropout(dropout)
        self.readout = nn.Linear(widths[-1] * grid * grid, out_dim)

    def forward(self, inputs: Video) -> Tokens:
        """Tokens in the order of time."""
        mask = inputs.mask
        values = torch.where(mask[:, :, None, None, None], inputs.frames, 0).transpose(1, 2)
        for layer in self.layers:
            values = layer(values, mask)
        places = functional.adaptive_avg_pool2d(values.transpose(1, 2).flatten(0, 1), self.grid).flatten(1)
        tokens = self.readout(self.dropout(places.unflatten(0, mask.shape)))
        return Tokens(torch.where(mask[:, :, None], tokens, 0), mask)


class Convolution(nn.Module):
    """A convolution over time, height and width, normalised over the frames that are there, and rectified; the other frames are 0.

    They are the zeros that a convolution assumes around its input: padding changes nothing.
    """

    def __init__(self, in_dim: int, out_dim: int, size: tuple[int, int, int], stride: int) -> None:
        super().__init__()
        padding = (size[0] // 2, size[1] // 2, size[2] // 2)
        self.convolution = nn.Conv3d(in_dim, out_dim, size, (1, stride, stride), padding, bias=False)
        self.normalisation = MaskedBatchNorm(out_dim)

    def forward(self, values: Float[Tensor, "B C T H W"], mask: Bool[Tensor, "B T"]) -> Float[Tensor, "B D T h w"]:
        """As many frames as there were."""
        found = self.convolution(values)
        return functional.relu(self.normalisation(found.flatten(3), mask)).unflatten(3, found.shape[3:])
