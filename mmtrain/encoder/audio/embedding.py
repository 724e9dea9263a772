"""Patches of a spectrogram and where they stand, each by itself."""

from typing import ClassVar

import torch
from torch import nn

from mmtrain.batch import Spectrogram, Tokens
from mmtrain.encoder.audio.patch import patches_of, with_places
from mmtrain.option import Count, Dropout
from mmtrain.spec import AudioSpec


class Embedding(nn.Module):
    """One linear map of every patch of `frames` frames and `bands` bands, plus its place: nothing mixes the patches.

    Source: Gong et al. 2021 (AST), section 2.1, up to its encoder; patches do not overlap, and there is no class token.
    """

    light: ClassVar[bool] = True

    def __init__(self, spec: AudioSpec, *, out_dim: Count = 128, frames: Count = 8, bands: Count = 8, dropout: Dropout = 0.0) -> None:
        super().__init__()
        self.out_dim, self.frames, self.bands = out_dim, frames, bands
        self.heights = nn.Parameter(0.02 * torch.randn(-(-spec.bands // bands), out_dim))
        self.embedding = nn.Linear(frames * bands, out_dim)
        self.dropout = nn.Dropout(dropout)

    def forward(self, inputs: Spectrogram) -> Tokens:
        """Tokens on a grid, patch by patch of time and in each from the lowest bands to the highest."""
        patches, steps = patches_of(inputs, self.frames, self.bands)
        values = self.dropout(with_places(self.embedding(patches), self.heights)).flatten(1, 2)
        mask = steps.repeat_interleave(len(self.heights), 1)
        return Tokens(torch.where(mask[:, :, None], values, 0), mask, (steps.shape[1], len(self.heights)))
