"""Pictures as patches, each mapped linearly."""

from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from mmtrain.batch import Image, Tokens
from mmtrain.encoder.image.grid import every_token
from mmtrain.option import Count, Dropout
from mmtrain.spec import ImageSpec


class Patches(nn.Module):
    """One linear map of every `patch` x `patch` pixels, plus what is learned of the patch's place; a token a patch.

    Nothing here mixes patches, so that a fusion that lets tokens look at each other does all the work; a fusion that pools them
    by their mean sees no more than the mean patch. A picture is padded with mid grey to whole patches.

    Source: Dosovitskiy et al. 2021, equation 1, without the class token.
    """

    light: ClassVar[bool] = True

    def __init__(self, spec: ImageSpec, *, out_dim: Count = 128, patch: Count = 8, dropout: Dropout = 0.0) -> None:
        super().__init__()
        self.out_dim = out_dim
        self.grid = (-(-spec.height // patch), -(-spec.width // patch))
        self.padding = (0, self.grid[1] * patch - spec.width, 0, self.grid[0] * patch - spec.height)
        self.position = nn.Parameter(torch.randn(self.grid[0] * self.grid[1], out_dim) * 0.02)
        self.embedding = nn.Conv2d(spec.channels, out_dim, patch, patch)
        self.dropout = nn.Dropout(dropout)

    def forward(self, inputs: Image) -> Tokens:
        """Tokens row by row of the grid."""
        values = self.embedding(functional.pad(inputs.pixels, self.padding)).flatten(2).transpose(1, 2)
        return every_token(self.dropout(values + self.position), self.grid)
