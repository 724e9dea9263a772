"""Fusion by a weighted sum, with weights of each row's own."""

from collections.abc import Mapping

from jaxtyping import Bool
from torch import Tensor, nn

from mmtrain.batch import FUSED, Fused, Tokens
from mmtrain.fusion.join import join_layers
from mmtrain.fusion.pool import Pool, shares, side_by_side
from mmtrain.option import Count, Dropout


class Gated(nn.Module):
    """Average the modalities' vectors with weights that a linear map of all of them gives for each row, then a hidden layer.

    The weights of the modalities that a row has sum to 1; an absent modality has none, and enters the gate as zeros with a flag.

    Source: the softmax gate of a mixture of experts (Jordan and Jacobs 1994, section 2), with the modalities' vectors as experts.
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
        self.gate = nn.Linear(len(in_dims) * (pooled_dim + 1), len(in_dims))
        self.join = join_layers(pooled_dim, hidden_dim=hidden_dim, out_dim=out_dim, dropout=dropout)

    def forward(self, tokens: Mapping[str, Tokens], present: Mapping[str, Bool[Tensor, " B"]]) -> dict[str, Fused]:
        """The one view `fused`, which can speak for every row that has a modality."""
        vectors, there = self.pool(tokens, present)
        weights = shares(self.gate(side_by_side(vectors, there)), there)
        joined = (weights[..., None] * vectors).sum(1)
        return {FUSED: Fused(self.join(joined), tokens, there.any(1))}
