"""A multilayer perceptron over a vector."""

import torch
from torch import nn

from mmtrain.batch import Tokens, Vector
from mmtrain.option import Count, Dropout
from mmtrain.spec import VectorSpec


class MLP(nn.Module):
    """`layers` layers of `hidden` units (linear, LayerNorm, GELU), read out as `tokens` tokens a row.

    Several tokens let a fusion that looks at tokens choose among parts of the vector; one that pools them needs but one.

    Source: Gorishniy et al. 2021, Revisiting Deep Learning Models for Tabular Data, section 3.1, with LayerNorm in each layer, GELU in
    place of ReLU, and several tokens.
    """

    def __init__(
        self,
        spec: VectorSpec,
        *,
        out_dim: Count = 128,
        hidden: Count = 256,
        layers: Count = 1,
        tokens: Count = 1,
        dropout: Dropout = 0.1,
    ) -> None:
        super().__init__()
        self.out_dim, self.tokens = out_dim, tokens
        blocks: list[nn.Module] = []
        for width in [spec.width, *[hidden] * (layers - 1)]:
            blocks += [nn.Linear(width, hidden), nn.LayerNorm(hidden), nn.GELU(), nn.Dropout(dropout)]
        self.layers = nn.Sequential(*blocks, nn.Linear(hidden, tokens * out_dim))

    def forward(self, inputs: Vector) -> Tokens:
        """The tokens of a row."""
        values = self.layers(inputs.values).unflatten(1, (self.tokens, self.out_dim))
        return Tokens(values, torch.ones(values.shape[:2], dtype=torch.bool, device=values.device))
