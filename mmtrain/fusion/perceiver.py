"""A latent array that looks at all modalities."""

from collections.abc import Mapping

import torch
from jaxtyping import Bool
from torch import Tensor, nn

from mmtrain.batch import FUSED, Fused, Tokens
from mmtrain.fusion.join import join_layers
from mmtrain.fusion.pool import any_present
from mmtrain.fusion.project import Project, in_one_row
from mmtrain.option import Count, Dropout
from mmtrain.transformer import CrossLayer, Transformer


class Perceiver(nn.Module):
    """`latents` learned vectors look at all tokens, then at each other, `depth` times; their mean goes through a hidden layer.

    The price grows with the number of tokens, not with its square. Each round has weights of its own and `layers` layers of
    self-attention. Absent modalities and padding are masked keys.

    Source: Jaegle et al. 2021, Perceiver, section 3.1; several modalities in one array as in its section 3.2, told apart by the maps to it.

    Raises:
        ConfigError: `heads` does not divide `dim`.
    """

    def __init__(
        self,
        in_dims: Mapping[str, int],
        *,
        out_dim: Count = 128,
        dim: Count = 128,
        latents: Count = 16,
        depth: Count = 2,
        layers: Count = 1,
        heads: Count = 4,
        expansion: Count = 2,
        hidden_dim: Count = 256,
        dropout: Dropout = 0.0,
    ) -> None:
        super().__init__()
        self.views = [FUSED]
        self.out_dim = out_dim
        self.project = Project(in_dims, dim=dim)
        self.latents = nn.Parameter(torch.randn(latents, dim))  # told apart from the start; normalised before they are read
        self.looks = nn.ModuleList(CrossLayer(dim, heads=heads, expansion=expansion, dropout=dropout) for _ in range(depth))
        self.thoughts = nn.ModuleList(
            Transformer(dim, layers=layers, heads=heads, expansion=expansion, dropout=dropout) for _ in range(depth)
        )
        self.join = join_layers(dim + len(in_dims), hidden_dim=hidden_dim, out_dim=out_dim, dropout=dropout)

    def forward(self, tokens: Mapping[str, Tokens], present: Mapping[str, Bool[Tensor, " B"]]) -> dict[str, Fused]:
        """The one view `fused`, which can speak for every row that has a modality."""
        values, mask = in_one_row(self.project(tokens, present))
        latents = self.latents.expand(mask.shape[0], -1, -1)
        for look, think in zip(self.looks, self.thoughts, strict=True):
            latents = think(look(latents, values, mask))
        there = [present[name][:, None] for name in self.project.names]
        return {FUSED: Fused(self.join(torch.cat([latents.mean(1), *there], 1)), tokens, any_present(present))}
