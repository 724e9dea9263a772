"""Fusion by the maximum."""

from collections.abc import Mapping

import torch
from jaxtyping import Bool
from torch import Tensor, nn

from mmtrain.batch import FUSED, Fused, Tokens
from mmtrain.fusion.join import join_layers
from mmtrain.fusion.pool import Pool
from mmtrain.option import Count, Dropout


class Max(nn.Module):
    """Keep, number by number, the largest among the vectors of the modalities that a row has, and send it through a hidden layer.

    Source: Zaheer et al. 2017, Deep Sets, section 2.2 (max pooling over a set), with a map of its own for each modality.
    """

    def __init__(
        self,
        in_dims: Mapping[str, int],
        *,
        out_dim: Count = 128,
        pooled_dim: Count = 128,
        hidden_dim: Count = 256,
        dropout: Dropout = 0.0,
    ) -> None:
        super().__init__()
        self.views = [FUSED]
        self.out_dim = out_dim
        self.pool = Pool(in_dims, out_dim=pooled_dim)
        self.join = join_layers(pooled_dim, hidden_dim=hidden_dim, out_dim=out_dim, dropout=dropout)

    def forward(self, tokens: Mapping[str, Tokens], present: Mapping[str, Bool[Tensor, " B"]]) -> dict[str, Fused]:
        """The one view `fused`, which can speak for every row that has a modality."""
        vectors, there = self.pool(tokens, present)
        anyone = there.any(1)
        largest = torch.where(there[..., None], vectors, -torch.inf).amax(1)
        joined = torch.where(anyone[:, None], largest, 0.0)
        return {FUSED: Fused(self.join(joined), tokens, anyone)}
