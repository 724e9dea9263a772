"""No fusion before the decision: every modality predicts by itself."""

from collections.abc import Mapping
from typing import ClassVar

import torch
from jaxtyping import Bool
from torch import Tensor, nn

from mmtrain.batch import Fused, Tokens
from mmtrain.fusion.join import join_layers
from mmtrain.fusion.pool import Pool
from mmtrain.option import Count, Dropout


class Late(nn.Module):
    """A view for each modality, with a hidden layer and heads of its own, which sees no other; the part `decision` merges what they say.

    Each view is what `concat` would be of that modality alone. What only two modalities together tell, no view can know.

    Source: Kittler et al. 1998, section 2 (classifiers of distinct representations, combined).
    """

    single_views: ClassVar[bool] = True

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
        self.views = sorted(in_dims)
        self.out_dim = out_dim
        self.pool = Pool(in_dims, out_dim=pooled_dim)
        self.joins = nn.ModuleList(join_layers(pooled_dim, hidden_dim=hidden_dim, out_dim=out_dim, dropout=dropout) for _ in self.views)

    def forward(self, tokens: Mapping[str, Tokens], present: Mapping[str, Bool[Tensor, " B"]]) -> dict[str, Fused]:
        """A view under the name of each modality, which can speak for the rows that have it."""
        vectors, there = self.pool(tokens, present)
        views = {}
        for name, join, vector, here in zip(self.views, self.joins, vectors.unbind(1), there.unbind(1), strict=True):
            views[name] = Fused(torch.where(here[:, None], join(vector), 0.0), {name: tokens[name]}, here)
        return views
