"""Attention bottlenecks."""

from collections.abc import Mapping

import torch
from jaxtyping import Bool
from torch import Tensor, nn

from mmtrain.batch import FUSED, Fused, Tokens
from mmtrain.fusion.join import join_layers
from mmtrain.fusion.pool import Pool, any_present, side_by_side
from mmtrain.fusion.project import Project
from mmtrain.option import Count, Dropout
from mmtrain.transformer import Layer


class Bottleneck(nn.Module):
    """Modalities exchange what they know through `bottlenecks` tokens only.

    In each of `layers` layers, the tokens of a modality and the bottleneck tokens look at each other, by weights of the modality's own;
    the bottleneck tokens are then the mean of what they have become in the modalities that the row has. What came of the tokens is pooled
    (mean and maximum), laid side by side and sent through a hidden layer.

    Source: Nagrani et al. 2021, Attention Bottlenecks for Multimodal Fusion, equations 8 and 9; the layers before the fusion are our
    encoders, and pooled tokens stand in for class tokens.

    Raises:
        ConfigError: `heads` does not divide `dim`.
    """

    def __init__(
        self,
        in_dims: Mapping[str, int],
        *,
        out_dim: Count = 128,
        dim: Count = 128,
        bottlenecks: Count = 4,
        layers: Count = 2,
        heads: Count = 4,
        expansion: Count = 2,
        hidden_dim: Count = 256,
        dropout: Dropout = 0.0,
    ) -> None:
        super().__init__()
        self.views = [FUSED]
        self.out_dim, self.count = out_dim, bottlenecks
        self.project = Project(in_dims, dim=dim)
        self.start = nn.Parameter(0.02 * torch.randn(bottlenecks, dim))
        self.layers = nn.ModuleList(
            nn.ModuleList(Layer(dim, heads=heads, expansion=expansion, dropout=dropout) for _ in in_dims) for _ in range(layers)
        )
        self.pool = Pool(dict.fromkeys(in_dims, dim), out_dim=dim)
        self.join = join_layers(len(in_dims) * (dim + 1), hidden_dim=hidden_dim, out_dim=out_dim, dropout=dropout)

    def forward(self, tokens: Mapping[str, Tokens], present: Mapping[str, Bool[Tensor, " B"]]) -> dict[str, Fused]:
        """The one view `fused`, which can speak for every row that has a modality."""
        seen, anyone = self.project(tokens, present), any_present(present)
        having = torch.stack([present[name] for name in seen])[..., None, None]
        shared = self.start.expand(anyone.shape[0], -1, -1)
        open_mask = torch.ones(anyone.shape[0], self.count, dtype=torch.bool, device=anyone.device)
        for layers in self.layers:
            become = []
            for place, (name, part) in enumerate(list(seen.items())):
                values = layers.get_submodule(str(place))(torch.cat([part.values, shared], 1), torch.cat([part.mask, open_mask], 1))
                seen[name] = Tokens(torch.where(part.mask[..., None], values[:, : -self.count], 0.0), part.mask)
                become.append(values[:, -self.count :])
            mean = torch.where(having, torch.stack(become), 0.0).sum(0) / having.sum(0).clamp(min=1)
            shared = torch.where(anyone[:, None, None], mean, shared)
        vectors, there = self.pool(seen, present)
        return {FUSED: Fused(self.join(side_by_side(vectors, there)), tokens, there.any(1))}
