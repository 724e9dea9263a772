"""A small convolutional network for sound."""

import torch
from torch import nn
from torch.nn import functional

from mmtrain.batch import Spectrogram, Tokens
from mmtrain.encoder.normalisation import MaskedBatchNorm
from mmtrain.option import Count, Dropout
from mmtrain.spec import AudioSpec


class CNN(nn.Module):
    """`layers` convolutions of 3x3 over time and frequency of a log-mel spectrogram, read out as one token a step of time.

    The first convolution has `channels` channels, each further one twice as many, up to four times as many; each but the last halves
    time and frequency. A token is a projection of all channels and all frequencies of its step: pooling over frequency would
    lose which sound it was.

    Source: Hershey et al. 2017, CNN Architectures for Large-Scale Audio Classification: networks for pictures read log-mel spectrograms.
    Ours is far smaller, halves by strides alone and keeps the steps of time as tokens.
    """

    def __init__(
        self,
        spec: AudioSpec,
        *,
        out_dim: Count = 128,
        channels: Count = 16,
        layers: Count = 4,
        dropout: Dropout = 0.0,
    ) -> None:
        super().__init__()
        self.out_dim = out_dim
        widths = [1, *(channels * min(2**layer, 4) for layer in range(layers))]
        self.strides, bands = [], spec.bands
        for layer in range(layers):
            halved = 2 if layer < layers - 1 else 1
            # One band is left alone: in bf16, oneDNN reads memory that nobody wrote for the gradient of a stride of 2 over a width of 1.
            self.strides.append((halved, halved if bands > 1 else 1))
            bands = -(-bands // self.strides[-1][1])
        self.convolutions = nn.ModuleList(
            nn.Conv2d(widths[layer], widths[layer + 1], 3, stride, padding=1, bias=False) for layer, stride in enumerate(self.strides)
        )
        self.normalisations = nn.ModuleList(MaskedBatchNorm(width) for width in widths[1:])
        self.dropout = nn.Dropout(dropout)
        self.readout = nn.Linear(bands * widths[-1], out_dim)

    def forward(self, inputs: Spectrogram) -> Tokens:
        """Tokens in the order of time, one for each 2^(layers - 1) frames."""
        mask = inputs.mask
        values = torch.where(mask[:, :, None], inputs.bands, 0)[..., None].permute(0, 3, 1, 2)  # one channel, channels last
        for convolution, normalisation, stride in zip(self.convolutions, self.normalisations, self.strides, strict=True):
            # A sound's zeros behind its end are those that a convolution assumes around its map: padding changes nothing.
            mask = mask[:, :: stride[0]]
            values = functional.relu(normalisation(convolution(values), mask))
        tokens = self.readout(self.dropout(values.permute(0, 2, 3, 1).flatten(2)))
        return Tokens(torch.where(mask[:, :, None], tokens, 0), mask)
