"""Factorised bilinear pooling."""

from collections.abc import Mapping
from typing import ClassVar

from jaxtyping import Bool
from torch import Tensor, nn
from torch.nn import functional

from mmtrain.batch import FUSED, Fused, Tokens
from mmtrain.fusion.join import join_layers
from mmtrain.fusion.pool import Pool, at_least_single, product
from mmtrain.option import Count, Dropout

SMALLEST = 1e-8  # under the square root, whose slope at 0 is infinite; half precision would take it for 0


class MFB(nn.Module):
    """Multiply two modalities and add up windows of the products: `factors` products for each of `joint_dim` numbers.

    The sums z are brought to sign(z) sqrt(|z|), then to length 1, and sent through a hidden layer. `dropout` falls on the products, too.
    The factor of an absent modality is 1, so that the other one's stays.

    Source: Yu et al. 2017, Multi-modal Factorized Bilinear Pooling, equations 3 and 4 and section 3.2.
    """

    modalities: ClassVar[int] = 2

    def __init__(
        self,
        in_dims: Mapping[str, int],
        *,
        out_dim: Count = 128,
        joint_dim: Count = 128,
        factors: Count = 5,
        pooled_dim: Count = 128,
        hidden_dim: Count = 256,
        dropout: Dropout = 0.0,
    ) -> None:
        super().__init__()
        self.views = [FUSED]
        self.out_dim, self.joint_dim = out_dim, joint_dim
        self.pool = Pool(in_dims, out_dim=pooled_dim)
        self.factors = nn.ModuleList(nn.Linear(pooled_dim, joint_dim * factors) for _ in in_dims)
        self.dropout = nn.Dropout(dropout)
        self.join = join_layers(joint_dim, hidden_dim=hidden_dim, out_dim=out_dim, dropout=dropout)

    def forward(self, tokens: Mapping[str, Tokens], present: Mapping[str, Bool[Tensor, " B"]]) -> dict[str, Fused]:
        """The one view `fused`, which can speak for every row that has a modality."""
        vectors, there = self.pool(tokens, present)
        sums = at_least_single(self.dropout(product(self.factors, vectors, there)).unflatten(1, (self.joint_dim, -1)).sum(2))
        rooted = sums.sign() * (sums.abs() + SMALLEST).sqrt()
        return {FUSED: Fused(self.join(functional.normalize(rooted, dim=1)), tokens, there.any(1))}
