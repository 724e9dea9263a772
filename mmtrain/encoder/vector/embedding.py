"""A vector, mapped linearly."""

from typing import ClassVar

import torch
from torch import nn

from mmtrain.batch import Tokens, Vector
from mmtrain.option import Count, Dropout
from mmtrain.spec import VectorSpec


class Embedding(nn.Module):
    """One linear map of the vector to `tokens` tokens, each with weights and a bias of its own: no layer is hidden.

    Source: Tsimpoukelli et al. 2021 (Frozen), section 3.1: a linear map of a picture's vector, reshaped to a few tokens.
    """

    light: ClassVar[bool] = True

    def __init__(self, spec: VectorSpec, *, out_dim: Count = 128, tokens: Count = 1, dropout: Dropout = 0.0) -> None:
        super().__init__()
        self.out_dim, self.tokens = out_dim, tokens
        self.embedding = nn.Linear(spec.width, tokens * out_dim)
        self.dropout = nn.Dropout(dropout)

    def forward(self, inputs: Vector) -> Tokens:
        """The tokens of a row."""
        values = self.dropout(self.embedding(inputs.values).unflatten(1, (self.tokens, self.out_dim)))
        return Tokens(values, torch.ones(values.shape[:2], dtype=torch.bool, device=values.device))
