"""Tucker fusion with a core of low rank."""

from collections.abc import Mapping
from typing import ClassVar

from jaxtyping import Bool
from torch import Tensor, nn

from mmtrain.batch import FUSED, Fused, Tokens
from mmtrain.fusion.join import join_layers
from mmtrain.fusion.pool import Pool, product
from mmtrain.option import Count, Dropout


class Mutan(nn.Module):
    """A bilinear map of two modalities whose core tensor is a sum of `rank` terms: sum over r of (M_r tanh(U x)) * (N_r tanh(V y)).

    The sum has `joint_dim` numbers and goes through a hidden layer. The factors of an absent modality are 1, so that the other one's stay.

    Source: Ben-younes et al. 2017, MUTAN, equations 4 and 8 to 10.
    """

    modalities: ClassVar[int] = 2

    def __init__(
        self,
        in_dims: Mapping[str, int],
        *,
        out_dim: Count = 128,
        rank: Count = 5,
        joint_dim: Count = 128,
        pooled_dim: Count = 128,
        hidden_dim: Count = 256,
        dropout: Dropout = 0.0,
    ) -> None:
        super().__init__()
        self.views = [FUSED]
        self.out_dim, self.rank = out_dim, rank
        self.pool = Pool(in_dims, out_dim=pooled_dim)
        self.factors = nn.ModuleList(
            nn.Sequential(nn.Linear(pooled_dim, pooled_dim), nn.Tanh(), nn.Linear(pooled_dim, rank * joint_dim)) for _ in in_dims
        )
        self.join = join_layers(joint_dim, hidden_dim=hidden_dim, out_dim=out_dim, dropout=dropout)

    def forward(self, tokens: Mapping[str, Tokens], present: Mapping[str, Bool[Tensor, " B"]]) -> dict[str, Fused]:
        """The one view `fused`, which can speak for every row that has a modality."""
        vectors, there = self.pool(tokens, present)
        joined = product(self.factors, vectors, there).unflatten(1, (self.rank, -1)).sum(1)
        return {FUSED: Fused(self.join(joined), tokens, there.any(1))}
