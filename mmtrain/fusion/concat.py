"""Fusion by concatenation."""

from collections.abc import Mapping

from jaxtyping import Bool
from torch import Tensor, nn

from mmtrain.batch import FUSED, Fused, Tokens
from mmtrain.fusion.join import join_layers
from mmtrain.fusion.pool import Pool, side_by_side
from mmtrain.option import Count, Dropout


class Concat(nn.Module):
    """Lay the modalities' vectors side by side and mix them in a hidden layer.

    An absent modality is a vector of zeros, and a flag per modality tells it from a present one that happens to be zero.
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
        joined_dim = len(in_dims) * (pooled_dim + 1)
        self.join = join_layers(joined_dim, hidden_dim=hidden_dim, out_dim=out_dim, dropout=dropout)

    def forward(self, tokens: Mapping[str, Tokens], present: Mapping[str, Bool[Tensor, " B"]]) -> dict[str, Fused]:
        """The one view `fused`, which can speak for every row that has a modality."""
        vectors, there = self.pool(tokens, present)
        return {FUSED: Fused(self.join(side_by_side(vectors, there)), tokens, there.any(1))}
