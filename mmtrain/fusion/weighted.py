"""Fusion by a weighted sum, with one weight a modality."""

from collections.abc import Mapping

import torch
from jaxtyping import Bool
from torch import Tensor, nn

from mmtrain.batch import FUSED, Fused, Tokens
from mmtrain.errors import ConfigError, Problem, nearest
from mmtrain.fusion.join import join_layers
from mmtrain.fusion.pool import Pool, shares
from mmtrain.option import Count, Dropout, Positive


class Weighted(nn.Module):
    """Average the modalities' vectors with one weight each, the same for all rows, and send the mean through a hidden layer.

    The weights of the modalities that a row has always sum to 1: shares of the absent ones go to the present ones, in proportion.
    Learned as the softmax of one free number a modality, unless `weights` fixes them: `{image: 2.0}` counts the image twice
    as much as any modality that is not named there (weight 1). The vectors all have the same size (LayerNorm without gain),
    so that training cannot undo a fixed weight by scaling a vector. To give a modality no weight at all, leave it out of the data.

    Raises:
        ConfigError: `weights` names something that is no modality.
    """

    def __init__(
        self,
        in_dims: Mapping[str, int],
        *,
        out_dim: Count = 128,
        weights: dict[str, Positive] | None = None,
        pooled_dim: Count = 128,
        hidden_dim: Count = 256,
        dropout: Dropout = 0.0,
    ) -> None:
        super().__init__()
        self.views = [FUSED]
        self.out_dim = out_dim
        self.pool = Pool(in_dims, out_dim=pooled_dim, gain=False)
        self.join = join_layers(pooled_dim, hidden_dim=hidden_dim, out_dim=out_dim, dropout=dropout)
        if weights is None:
            self.logits: Tensor = nn.Parameter(torch.zeros(len(in_dims)))
        else:
            _check_names(weights, in_dims)
            # the softmax of logarithms are the weights themselves, normalised; the configuration keeps them, not the checkpoint
            fixed = torch.tensor([weights.get(name, 1.0) for name in self.pool.names]).log()
            self.register_buffer("logits", fixed, persistent=False)

    def forward(self, tokens: Mapping[str, Tokens], present: Mapping[str, Bool[Tensor, " B"]]) -> dict[str, Fused]:
        """The one view `fused`, which can speak for every row that has a modality."""
        vectors, there = self.pool(tokens, present)
        weights = shares(self.logits.expand(there.shape), there)
        joined = (weights[..., None] * vectors).sum(1)
        return {FUSED: Fused(self.join(joined), tokens, there.any(1))}


def _check_names(weights: Mapping[str, float], modalities: Mapping[str, int]) -> None:
    unknown = sorted(set(weights) - set(modalities))
    if unknown:
        raise ConfigError(*(Problem("weights", f"'{name}' is no modality", nearest(name, modalities)) for name in unknown))
