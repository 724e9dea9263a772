"""Fusion by multiplication."""

from collections.abc import Mapping

from jaxtyping import Bool
from torch import Tensor, nn

from mmtrain.batch import FUSED, Fused, Tokens
from mmtrain.fusion.join import join_layers
from mmtrain.fusion.pool import Pool, multiplied
from mmtrain.option import Count, Dropout


class Hadamard(nn.Module):
    """Multiply the modalities' vectors number by number, and send the product through a hidden layer.

    A factor is 1 + the modality's vector, so that products begin near 1 and keep what a single modality says; that of an absent
    modality is exactly 1.

    Source: the elementwise product of Antol et al. 2015 (VQA), section 4; the 1 is ours.
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
        return {FUSED: Fused(self.join(multiplied(1 + vectors)), tokens, there.any(1))}
