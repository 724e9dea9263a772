"""Clips as patches of a few frames, each mapped linearly."""

from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from mmtrain.batch import Tokens, Video
from mmtrain.option import Count, Dropout
from mmtrain.spec import VideoSpec
from mmtrain.transformer import positions


class Embedding(nn.Module):
    """One linear map of every `patch` x `patch` pixels of `frames` frames, plus their place: nothing mixes the patches.

    When a patch is shown is told by sines, so that a clip may have any length; where in the picture, is learned. Pictures are padded
    with mid grey to whole patches, and so are clips to whole groups of frames.

    Source: Arnab et al. 2021 (ViViT), section 3.2, tubelet embedding, without the class token.
    """

    light: ClassVar[bool] = True

    def __init__(self, spec: VideoSpec, *, out_dim: Count = 128, frames: Count = 2, patch: Count = 16, dropout: Dropout = 0.0) -> None:
        super().__init__()
        self.out_dim, self.frames = out_dim, frames
        self.padding = (0, -spec.width % patch, 0, -spec.height % patch)
        places = -(-spec.height // patch) * -(-spec.width // patch)
        self.places = nn.Parameter(0.02 * torch.randn(places, out_dim))
        self.embedding = nn.Conv3d(spec.channels, out_dim, (frames, patch, patch), (frames, patch, patch))
        self.dropout = nn.Dropout(dropout)

    def forward(self, inputs: Video) -> Tokens:
        """Tokens group by group of frames, and in each row by row of the picture."""
        later = -inputs.mask.shape[1] % self.frames
        steps = functional.pad(inputs.mask, (0, later)).unflatten(1, (-1, self.frames)).any(2)
        shown = torch.where(inputs.mask[:, :, None, None, None], inputs.frames, 0).transpose(1, 2)
        values = self.embedding(functional.pad(shown, (*self.padding, 0, later))).flatten(3).permute(0, 2, 3, 1)
        times = positions(steps.shape[1], self.out_dim, values.device).to(values.dtype)
        values = self.dropout(values + times[:, None] + self.places).flatten(1, 2)
        mask = steps.repeat_interleave(len(self.places), 1)
        return Tokens(torch.where(mask[:, :, None], values, 0), mask, (steps.shape[1], len(self.places)))
