"""Multiplicative interaction."""

from collections.abc import Mapping
from typing import ClassVar

from jaxtyping import Bool
from torch import Tensor, nn

from mmtrain.batch import FUSED, Fused, Tokens
from mmtrain.fusion.join import join_layers
from mmtrain.fusion.pool import Pool
from mmtrain.option import Count, Dropout


class Multiplicative(nn.Module):
    """The general bilinear map of two modalities with its linear terms: x W y + U x + V y + b, `joint_dim` numbers, then a hidden layer.

    An absent modality's vector is 0: what remains is the linear map of the other. W has joint_dim x pooled_dim x pooled_dim weights.

    Source: Jayakumar et al. 2020, Multiplicative Interactions and Where to Find Them, equation 1 (the full form).
    """

    modalities: ClassVar[int] = 2

    def __init__(
        self,
        in_dims: Mapping[str, int],
        *,
        out_dim: Count = 128,
        joint_dim: Count = 64,
        pooled_dim: Count = 64,
        hidden_dim: Count = 256,
        dropout: Dropout = 0.0,
    ) -> None:
        super().__init__()
        self.views = [FUSED]
        self.out_dim = out_dim
        self.pool = Pool(in_dims, out_dim=pooled_dim)
        self.product = nn.Linear(pooled_dim * pooled_dim, joint_dim)  # of all products: nn.Bilinear knows no autocast
        self.linear = nn.ModuleList(nn.Linear(pooled_dim, joint_dim, bias=False) for _ in in_dims)
        self.join = join_layers(joint_dim, hidden_dim=hidden_dim, out_dim=out_dim, dropout=dropout)

    def forward(self, tokens: Mapping[str, Tokens], present: Mapping[str, Bool[Tensor, " B"]]) -> dict[str, Fused]:
        """The one view `fused`, which can speak for every row that has a modality."""
        vectors, there = self.pool(tokens, present)
        first, second = vectors.unbind(1)
        joined = self.product((first[:, :, None] * second[:, None, :]).flatten(1)) + self.linear[0](first) + self.linear[1](second)
        return {FUSED: Fused(self.join(joined), tokens, there.any(1))}
