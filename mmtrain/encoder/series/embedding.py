"""Patches of a series and where they stand, each by itself."""

from typing import ClassVar

import torch
from torch import nn

from mmtrain.batch import Series, Tokens
from mmtrain.encoder.series.steps import patches_of
from mmtrain.option import Count, Dropout
from mmtrain.spec import SeriesSpec
from mmtrain.transformer import positions


class Embedding(nn.Module):
    """One linear map of every `patch` steps, all channels together, plus their place (sines): nothing mixes the patches.

    Every channel enters beside a flag of where it is known.

    Source: Nie et al. 2023 (PatchTST), section 3.1, up to its encoder; patches do not overlap, and channels are mixed.
    """

    light: ClassVar[bool] = True

    def __init__(self, spec: SeriesSpec, *, out_dim: Count = 128, patch: Count = 8, dropout: Dropout = 0.0) -> None:
        super().__init__()
        self.out_dim, self.patch = out_dim, patch
        self.embedding = nn.Linear(2 * spec.channels * patch, out_dim)
        self.dropout = nn.Dropout(dropout)

    def forward(self, inputs: Series) -> Tokens:
        """Tokens in the order of the steps, one for each patch that has a step."""
        patches, mask = patches_of(inputs, self.patch)
        values = self.embedding(patches)
        values = self.dropout(values + positions(values.shape[1], self.out_dim, values.device).to(values.dtype))
        return Tokens(torch.where(mask[:, :, None], values, 0), mask)
