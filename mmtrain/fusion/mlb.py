"""Low-rank bilinear pooling."""

from collections.abc import Mapping
from typing import ClassVar

from jaxtyping import Bool
from torch import Tensor, nn

from mmtrain.batch import FUSED, Fused, Tokens
from mmtrain.fusion.join import join_layers
from mmtrain.fusion.pool import Pool, product
from mmtrain.option import Count, Dropout


class MLB(nn.Module):
    """Multiply two modalities, each squashed: tanh(U x) * tanh(V y), `joint_dim` numbers, and send the product through a hidden layer.

    The factor of an absent modality is 1, so that the other one's stays.

    Source: Kim et al. 2017, Hadamard Product for Low-rank Bilinear Pooling, equation 8.
    """

    modalities: ClassVar[int] = 2

    def __init__(
        self,
        in_dims: Mapping[str, int],
        *,
        out_dim: Count = 128,
        joint_dim: Count = 256,
        pooled_dim: Count = 128,
        hidden_dim: Count = 256,
        dropout: Dropout = 0.0,
    ) -> None:
        super().__init__()
        self.views = [FUSED]
        self.out_dim = out_dim
        self.pool = Pool(in_dims, out_dim=pooled_dim)
        self.factors = nn.ModuleList(nn.Sequential(nn.Linear(pooled_dim, joint_dim), nn.Tanh()) for _ in in_dims)
        self.join = join_layers(joint_dim, hidden_dim=hidden_dim, out_dim=out_dim, dropout=dropout)

    def forward(self, tokens: Mapping[str, Tokens], present: Mapping[str, Bool[Tensor, " B"]]) -> dict[str, Fused]:
        """The one view `fused`, which can speak for every row that has a modality."""
        vectors, there = self.pool(tokens, present)
        return {FUSED: Fused(self.join(product(self.factors, vectors, there)), tokens, there.any(1))}
