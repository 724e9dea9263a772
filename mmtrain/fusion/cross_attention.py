"""Cross-attention between modalities."""

from collections.abc import Mapping
from itertools import permutations

import torch
from jaxtyping import Bool
from torch import Tensor, nn

from mmtrain.batch import FUSED, Fused, Tokens
from mmtrain.fusion.join import join_layers
from mmtrain.fusion.pool import Pool, side_by_side
from mmtrain.fusion.project import Project
from mmtrain.option import Count, Dropout
from mmtrain.transformer import CrossLayer, Transformer


class CrossAttention(nn.Module):
    """Each modality's tokens look at those of each other modality, in a stream of their own for every ordered pair.

    A stream is `layers` layers of attention from the target's tokens to the source's, and a perceptron. A target's streams are laid side
    by side, mapped to `dim` numbers and go through one layer of self-attention; what came of the tokens is pooled (mean and maximum),
    laid side by side and sent through a hidden layer. From an absent source nothing is seen.

    Source: Tsai et al. 2019 (MulT), sections 3.1 and 3.2, with pooled tokens in place of the last one, and what the streams say added to
    the target's own tokens; with two modalities much as the co-attention of Lu et al. 2019 (ViLBERT), section 2.2.

    Raises:
        ConfigError: `heads` does not divide `dim`.
    """

    def __init__(
        self,
        in_dims: Mapping[str, int],
        *,
        out_dim: Count = 128,
        dim: Count = 128,
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
        self.pairs = list(permutations(self.project.names, 2))
        self.streams = nn.ModuleList(
            nn.ModuleList(CrossLayer(dim, heads=heads, expansion=expansion, dropout=dropout) for _ in self.pairs) for _ in range(layers)
        )
        others = max(len(in_dims) - 1, 1)
        self.mixed = nn.ModuleList(nn.Linear(others * dim, dim) for _ in in_dims)
        self.own = nn.ModuleList(Transformer(dim, layers=1, heads=heads, expansion=expansion, dropout=dropout) for _ in in_dims)
        self.pool = Pool(dict.fromkeys(in_dims, dim), out_dim=dim)
        self.join = join_layers(len(in_dims) * (dim + 1), hidden_dim=hidden_dim, out_dim=out_dim, dropout=dropout)

    def forward(self, tokens: Mapping[str, Tokens], present: Mapping[str, Bool[Tensor, " B"]]) -> dict[str, Fused]:
        """The one view `fused`, which can speak for every row that has a modality."""
        projected = self.project(tokens, present)
        streams: dict[str, list[Tensor]] = {name: [] for name in projected}
        for place, (target, source) in enumerate(self.pairs):
            values = projected[target].values
            for layer in self.streams:
                values = layer.get_submodule(str(place))(values, projected[source].values, projected[source].mask)
            streams[target].append(values)
        seen = {}
        for mixed, own, (name, part) in zip(self.mixed, self.own, projected.items(), strict=True):
            values = part.values + mixed(torch.cat(streams[name] or [part.values], 2))
            seen[name] = Tokens(own(values, part.mask), part.mask)
        vectors, there = self.pool(seen, present)
        return {FUSED: Fused(self.join(side_by_side(vectors, there)), tokens, there.any(1))}
