"""Columns that look at each other."""

from typing import Literal

import torch
from torch import nn

from mmtrain.batch import Tabular, Tokens
from mmtrain.encoder.tabular.column import Columns, drawn, one_token
from mmtrain.option import Count, Dropout, Positive
from mmtrain.spec import TabularSpec
from mmtrain.transformer import Transformer


class FTTransformer(nn.Module):
    """A token a column, `layers` transformer layers with `heads` heads over them; `out_dim` is the width of all, `heads` a divisor of it.

    `tokens` says what leaves: that of the whole row, which a learned token gathers (`row`), or one a `column`, for fusions that look at
    tokens. A number that is not known is a learned vector of its column. `frequencies` and `frequency_scale` embed numbers as in
    `Periodic`; null is the paper's linear form.

    Source: Gorishniy et al. 2021, Revisiting Deep Learning Models for Tabular Data, section 3.3, with the layers of
    `mmtrain.transformer`: GELU for ReGLU, and no LayerNorm left out. The last ReLU and linear map are the head's.

    Raises:
        ConfigError: `heads` does not divide `out_dim`.
    """

    def __init__(
        self,
        spec: TabularSpec,
        *,
        out_dim: Count = 128,
        layers: Count = 3,
        heads: Count = 4,
        expansion: Count = 2,
        dropout: Dropout = 0.1,
        frequencies: Count | None = None,
        frequency_scale: Positive = 1.0,
        tokens: Literal["row", "column"] = "row",
    ) -> None:
        super().__init__()
        self.out_dim = out_dim
        self.columns = Columns(spec, out_dim, frequencies, frequency_scale)
        self.row = drawn(out_dim) if tokens == "row" else None
        self.layers = Transformer(out_dim, layers=layers, heads=heads, expansion=expansion, dropout=dropout)

    @property
    def stages(self) -> list[nn.Module]:
        """The columns' vectors, then the layers, from input to output."""
        return [self.columns, *self.layers.stages]

    def forward(self, inputs: Tabular) -> Tokens:
        """One token a row, or one a column: those of numbers, then those of categories."""
        values = self.columns(inputs)
        if self.row is None:
            return Tokens(self.layers(values), torch.ones(values.shape[:2], dtype=torch.bool, device=values.device))
        row = self.row.expand(len(values), 1, -1)
        return one_token(self.layers(torch.cat([row, values], 1))[:, 0])
