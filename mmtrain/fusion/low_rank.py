"""Low-rank multimodal fusion."""

import math
from collections.abc import Mapping

import torch
from jaxtyping import Bool
from torch import Tensor, nn

from mmtrain.batch import FUSED, Fused, Tokens
from mmtrain.fusion.join import join_layers
from mmtrain.fusion.pool import Pool, multiplied
from mmtrain.option import Count, Dropout


class LowRank(nn.Module):
    """The tensor fusion without its tensor: sum over r of w_r times the product over m of F_m,r [x_m; 1], plus a bias.

    `rank` is the number of terms, each of `factor_dim` numbers. An absent modality's vector is 0, so that its factor is what F has for
    the 1: the term goes on without it. The sum goes through a hidden layer.

    Source: Liu et al. 2018, Efficient Low-rank Multimodal Fusion with Modality-Specific Factors, equations 6 and 7, where w is learned
    as in the authors' program. Factors begin near 1 in the row of the 1, so that the product of many neither vanishes nor explodes.
    """

    def __init__(
        self,
        in_dims: Mapping[str, int],
        *,
        out_dim: Count = 128,
        rank: Count = 4,
        factor_dim: Count = 128,
        pooled_dim: Count = 128,
        hidden_dim: Count = 256,
        dropout: Dropout = 0.0,
    ) -> None:
        super().__init__()
        self.views = [FUSED]
        self.out_dim = out_dim
        self.pool = Pool(in_dims, out_dim=pooled_dim)
        factors = [nn.Linear(pooled_dim, rank * factor_dim) for _ in in_dims]
        for factor in factors:
            nn.init.normal_(factor.weight, std=1 / math.sqrt(pooled_dim))
            nn.init.ones_(factor.bias)
        self.factors = nn.ModuleList(factors)
        self.rank = rank
        self.weights = nn.Parameter(torch.randn(rank) / math.sqrt(rank))
        self.bias = nn.Parameter(torch.zeros(factor_dim))
        self.join = join_layers(factor_dim, hidden_dim=hidden_dim, out_dim=out_dim, dropout=dropout)

    def forward(self, tokens: Mapping[str, Tokens], present: Mapping[str, Bool[Tensor, " B"]]) -> dict[str, Fused]:
        """The one view `fused`, which can speak for every row that has a modality."""
        vectors, there = self.pool(tokens, present)
        factors = torch.stack([factor(vector) for factor, vector in zip(self.factors, vectors.unbind(1), strict=True)], 1)
        products = multiplied(factors).unflatten(1, (self.rank, -1))
        joined = (self.weights[:, None] * products).sum(1) + self.bias
        return {FUSED: Fused(self.join(joined), tokens, there.any(1))}
