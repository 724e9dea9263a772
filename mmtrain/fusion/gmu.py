"""The gated multimodal unit."""

from collections.abc import Mapping

import torch
from jaxtyping import Bool
from torch import Tensor, nn

from mmtrain.batch import FUSED, Fused, Tokens
from mmtrain.fusion.join import join_layers
from mmtrain.fusion.pool import Pool, side_by_side
from mmtrain.option import Count, Dropout


class GMU(nn.Module):
    """Let a gate decide, number by number, how much each modality says: sum over m of sigmoid(G_m x) * tanh(W_m x_m), x being all vectors.

    With two modalities there is one gate z, and the second one gets 1 - z. An absent modality says nothing; the other gates stay
    as they are, which see its zeros and a flag. The sum goes through a hidden layer.

    Source: Arevalo et al. 2017, Gated Multimodal Units for Information Fusion, section 3.1 and equations 1 to 5 (two modalities).
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
        count = len(in_dims)
        self.said = nn.ModuleList(nn.Linear(pooled_dim, pooled_dim) for _ in in_dims)
        self.gate = nn.Linear(count * (pooled_dim + 1), pooled_dim * (1 if count == 2 else count))
        self.join = join_layers(pooled_dim, hidden_dim=hidden_dim, out_dim=out_dim, dropout=dropout)

    def forward(self, tokens: Mapping[str, Tokens], present: Mapping[str, Bool[Tensor, " B"]]) -> dict[str, Fused]:
        """The one view `fused`, which can speak for every row that has a modality."""
        vectors, there = self.pool(tokens, present)
        gates = self.gate(side_by_side(vectors, there)).sigmoid().unflatten(1, (-1, self.pool.out_dim))
        if there.shape[1] == 2:
            gates = torch.cat([gates, 1 - gates], 1)
        said = torch.stack([layer(vector).tanh() for layer, vector in zip(self.said, vectors.unbind(1), strict=True)], 1)
        joined = torch.where(there[..., None], gates * said, 0.0).sum(1)
        return {FUSED: Fused(self.join(joined), tokens, there.any(1))}
