"""Fusion by averaging."""

from collections.abc import Mapping

from jaxtyping import Bool
from torch import Tensor, nn

from mmtrain.batch import FUSED, Fused, Tokens
from mmtrain.fusion.join import join_layers
from mmtrain.fusion.pool import Pool
from mmtrain.option import Count, Dropout


class Mean(nn.Module):
    """Average the vectors of the modalities that a row has, and send the mean through a hidden layer.

    Unlike the sum, its size does not depend on how many modalities a row has.

    Source: Zaheer et al. 2017, Deep Sets, theorem 2, with a map of its own for each modality and divided by the number present.
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
        joined = vectors.sum(1) / there.sum(1, keepdim=True).clamp(min=1)
        return {FUSED: Fused(self.join(joined), tokens, there.any(1))}
