"""Patches of a spectrogram that look at each other."""

import torch
from torch import nn

from mmtrain.batch import Spectrogram, Tokens
from mmtrain.encoder.audio.patch import patches_of, with_places
from mmtrain.option import Count, Dropout
from mmtrain.spec import AudioSpec
from mmtrain.transformer import Transformer as Layers


class Transformer(nn.Module):
    """Cut a log-mel spectrogram into patches of `frames` frames and `bands` bands, project each, and let them look at each other.

    Where the bands do not come out even, the highest patch is filled up with zeros. `heads` must divide `out_dim`.

    Source: Gong et al. 2021 (AST), section 2.1; patches do not overlap, a patch's place is that of its frames (sines, so that a sound may
    have any length) and that of its bands (learned), there is no class token, and nothing is pretrained.
    """

    def __init__(
        self,
        spec: AudioSpec,
        *,
        out_dim: Count = 128,
        frames: Count = 8,
        bands: Count = 8,
        layers: Count = 4,
        heads: Count = 4,
        dropout: Dropout = 0.1,
    ) -> None:
        super().__init__()
        self.out_dim, self.frames, self.bands = out_dim, frames, bands
        self.heights = nn.Parameter(0.02 * torch.randn(-(-spec.bands // bands), out_dim))
        self.embedding = nn.Sequential(nn.Linear(frames * bands, out_dim), nn.LayerNorm(out_dim))
        self.dropout = nn.Dropout(dropout)
        self.layers = Layers(out_dim, layers=layers, heads=heads, dropout=dropout)

    @property
    def stages(self) -> list[nn.Module]:
        """The embedding, then the layers."""
        return [self.embedding, *self.layers.stages]

    def forward(self, inputs: Spectrogram) -> Tokens:
        """Tokens on a grid, patch by patch of time and in each from the lowest bands to the highest."""
        patches, steps = patches_of(inputs, self.frames, self.bands)
        values = self.dropout(with_places(self.embedding(patches), self.heights)).flatten(1, 2)
        mask = steps.repeat_interleave(len(self.heights), 1)
        return Tokens(self.layers(values, mask), mask, (steps.shape[1], len(self.heights)))
