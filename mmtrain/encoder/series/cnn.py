"""A convolutional network over the steps of a series."""

import torch
from torch import nn
from torch.nn import functional

from mmtrain.batch import Series, Tokens
from mmtrain.encoder.normalisation import MaskedBatchNorm
from mmtrain.encoder.series.steps import steps_of
from mmtrain.option import Count, Dropout
from mmtrain.spec import SeriesSpec


class CNN(nn.Module):
    """`layers` convolutions over `kernel` steps, each normalised and followed by ReLU; one token a step of the last.

    The first has `channels` channels, each further one twice as many, up to four times as many; each but the last keeps one of
    `stride` steps. Every channel of the series enters beside a flag of where it is known.

    Source: Wang, Yan and Oates 2017, section III.B (FCN); narrower, with one width of kernel, and with strides.
    """

    def __init__(
        self,
        spec: SeriesSpec,
        *,
        out_dim: Count = 128,
        channels: Count = 32,
        layers: Count = 4,
        kernel: Count = 5,
        stride: Count = 2,
        dropout: Dropout = 0.0,
    ) -> None:
        super().__init__()
        self.out_dim = out_dim
        self.strides = [stride] * (layers - 1) + [1]
        self.around = ((kernel - 1) // 2, kernel // 2)  # zeros before and behind: with a stride of 1, as many steps leave as enter
        widths = [2 * spec.channels, *(channels * min(2**layer, 4) for layer in range(layers))]
        self.convolutions = nn.ModuleList(
            nn.Conv1d(widths[layer], widths[layer + 1], kernel, self.strides[layer], bias=False) for layer in range(layers)
        )
        self.normalisations = nn.ModuleList(MaskedBatchNorm(width) for width in widths[1:])
        self.dropout = nn.Dropout(dropout)
        self.readout = nn.Linear(widths[-1], out_dim)

    def forward(self, inputs: Series) -> Tokens:
        """Tokens in the order of the steps."""
        mask = inputs.mask
        values = steps_of(inputs).transpose(1, 2)
        for convolution, normalisation, stride in zip(self.convolutions, self.normalisations, self.strides, strict=True):
            # Zeros stand behind the end of a series, and zeros are what is put around it: padding changes nothing.
            mask = mask[:, ::stride]
            values = convolution(functional.pad(values, self.around))
            values = functional.relu(normalisation(values[..., None], mask)[..., 0])
        tokens = self.readout(self.dropout(values.transpose(1, 2)))
        return Tokens(torch.where(mask[:, :, None], tokens, 0), mask)
