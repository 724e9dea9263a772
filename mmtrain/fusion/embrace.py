"""EmbraceNet."""

from collections.abc import Mapping

import torch
from jaxtyping import Bool
from torch import Tensor, nn

from mmtrain.batch import FUSED, Fused, Tokens
from mmtrain.fusion.join import join_layers
from mmtrain.fusion.pool import Pool, shares
from mmtrain.option import Count, Dropout


class Embrace(nn.Module):
    """Fill each number of the joint vector from one modality, drawn anew for every row and number among those that the row has.

    Each modality is first brought to `joint_dim` numbers (docking). While training, modalities are drawn with equal chances, which
    teaches each number to make do with any of them; afterwards a number is its expectation, the mean over the present modalities.
    The joint vector goes through a hidden layer.

    Source: Choi and Lee 2019, EmbraceNet, section 3, equations 1 to 5; they draw when predicting too, we take the expectation.
    """

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
        self.docking = nn.ModuleList(nn.Sequential(nn.Linear(pooled_dim, joint_dim), nn.ReLU()) for _ in in_dims)
        self.join = join_layers(joint_dim, hidden_dim=hidden_dim, out_dim=out_dim, dropout=dropout)

    def forward(self, tokens: Mapping[str, Tokens], present: Mapping[str, Bool[Tensor, " B"]]) -> dict[str, Fused]:
        """The one view `fused`, which can speak for every row that has a modality."""
        vectors, there = self.pool(tokens, present)
        docked = torch.stack([layers(vector) for layers, vector in zip(self.docking, vectors.unbind(1), strict=True)], 1)
        weights = shares(docked.new_zeros(there.shape), there)[..., None]  # equal chances of the present ones
        if self.training:
            ends = weights.cumsum(1)
            drawn = torch.rand(len(docked), 1, docked.shape[2], device=docked.device)
            weights = ((ends - weights <= drawn) & (drawn < ends)).to(docked.dtype)
        anyone = there.any(1)
        joined = torch.where(anyone[:, None], (weights * docked).sum(1), 0.0)
        return {FUSED: Fused(self.join(joined), tokens, anyone)}
