"""Columns, each by itself."""

from typing import ClassVar

import torch
from torch import nn

from mmtrain.batch import Tabular, Tokens
from mmtrain.encoder.tabular.column import Columns
from mmtrain.option import Count, Dropout, Positive
from mmtrain.spec import TabularSpec


class Embedding(nn.Module):
    """A token a column: a number times a vector, or a category's vector, plus a bias of the column: nothing mixes the columns.

    A number that is not known is a learned vector of its column. `frequencies` and `frequency_scale` embed numbers as in `Periodic`.

    Source: Gorishniy et al. 2021, Revisiting Deep Learning Models for Tabular Data, section 3.3, the feature tokenizer.
    """

    light: ClassVar[bool] = True

    def __init__(
        self,
        spec: TabularSpec,
        *,
        out_dim: Count = 128,
        dropout: Dropout = 0.0,
        frequencies: Count | None = None,
        frequency_scale: Positive = 1.0,
    ) -> None:
        super().__init__()
        self.out_dim = out_dim
        self.columns = Columns(spec, out_dim, frequencies, frequency_scale)
        self.dropout = nn.Dropout(dropout)

    def forward(self, inputs: Tabular) -> Tokens:
        """One token a column: those of numbers, then those of categories."""
        values = self.dropout(self.columns(inputs))
        return Tokens(values, torch.ones(values.shape[:2], dtype=torch.bool, device=values.device))
