"""Tensor fusion."""

import math
from collections.abc import Mapping

import torch
from jaxtyping import Bool
from torch import Tensor, nn

from mmtrain.batch import FUSED, Fused, Tokens
from mmtrain.errors import ConfigError, Problem
from mmtrain.fusion.join import join_layers
from mmtrain.fusion.pool import Pool
from mmtrain.option import Count, Dropout

LARGEST = 2**17  # numbers in the tensor; with 256 hidden units behind it, 34 million weights


class TensorFusion(nn.Module):
    """All products of one number from each modality, the number 1 among them: the flattened outer product of [x_m; 1] over m.

    It has (pooled_dim + 1) ** modalities numbers and goes through a hidden layer. An absent modality's vector is 0: what remains are
    the products of the others.

    Source: Zadeh et al. 2017, Tensor Fusion Network, equation 2.

    Raises:
        ConfigError: the tensor would have more than 131,072 numbers.
    """

    def __init__(
        self,
        in_dims: Mapping[str, int],
        *,
        out_dim: Count = 128,
        pooled_dim: Count = 16,
        hidden_dim: Count = 256,
        dropout: Dropout = 0.0,
    ) -> None:
        super().__init__()
        size = (pooled_dim + 1) ** len(in_dims)
        if size > LARGEST:
            fits = math.floor(LARGEST ** (1 / len(in_dims)) + 1e-9) - 1
            found = f"{pooled_dim + 1} ** {len(in_dims)} modalities = {size:,} products of a row, more than {LARGEST:,}"
            raise ConfigError(Problem("pooled_dim", found, f"at most {fits}, or fusion=low_rank, which needs no such tensor"))
        self.views = [FUSED]
        self.out_dim = out_dim
        self.pool = Pool(in_dims, out_dim=pooled_dim)
        self.join = join_layers(size, hidden_dim=hidden_dim, out_dim=out_dim, dropout=dropout)

    def forward(self, tokens: Mapping[str, Tokens], present: Mapping[str, Bool[Tensor, " B"]]) -> dict[str, Fused]:
        """The one view `fused`, which can speak for every row that has a modality."""
        vectors, there = self.pool(tokens, present)
        product = None
        for vector in vectors.unbind(1):
            factor = torch.cat([vector, torch.ones_like(vector[:, :1])], 1)
            product = factor if product is None else (product[:, :, None] * factor[:, None, :]).flatten(1)
        return {FUSED: Fused(self.join(product), tokens, there.any(1))}
