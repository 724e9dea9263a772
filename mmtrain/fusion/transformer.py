"""A single-stream transformer."""

from collections.abc import Mapping

from jaxtyping import Bool
from torch import Tensor, nn

from mmtrain.batch import FUSED, Fused, Tokens
from mmtrain.fusion.join import join_layers
from mmtrain.fusion.pool import Pool, side_by_side
from mmtrain.fusion.project import Project, in_one_row
from mmtrain.option import Count, Dropout
from mmtrain.transformer import Transformer


class SingleStream(nn.Module):
    """All tokens of all modalities in one sequence, through `layers` layers of self-attention; every token can look at every other.

    What each modality's tokens have become is pooled (mean and maximum), laid side by side and sent through a hidden layer. Absent
    modalities and padding are masked keys.

    Source: Kim et al. 2021 (ViLT), section 3; pooled tokens stand in for its class token, which learns more slowly from scratch.

    Raises:
        ConfigError: `heads` does not divide `dim`.
    """

    def __init__(
        self,
        in_dims: Mapping[str, int],
        *,
        out_dim: Count = 128,
        dim: Count = 128,
        layers: Count = 2,
        heads: Count = 4,
        expansion: Count = 2,
        hidden_dim: Count = 256,
        dropout: Dropout = 0.0,
    ) -> None:
        super().__init__()
        self.views = [FUSED]
        self.out_dim = out_dim
        self.project = Project(in_dims, dim=dim)
        self.transformer = Transformer(dim, layers=layers, heads=heads, expansion=expansion, dropout=dropout)
        self.pool = Pool(dict.fromkeys(in_dims, dim), out_dim=dim)
        self.join = join_layers(len(in_dims) * (dim + 1), hidden_dim=hidden_dim, out_dim=out_dim, dropout=dropout)

    def forward(self, tokens: Mapping[str, Tokens], present: Mapping[str, Bool[Tensor, " B"]]) -> dict[str, Fused]:
        """The one view `fused`, which can speak for every row that has a modality."""
        projected = self.project(tokens, present)
        values = self.transformer(*in_one_row(projected))
        parts = values.split([part.mask.shape[1] for part in projected.values()], 1)
        seen = {name: Tokens(part, projected[name].mask) for name, part in zip(projected, parts, strict=True)}
        vectors, there = self.pool(seen, present)
        return {FUSED: Fused(self.join(side_by_side(vectors, there)), tokens, there.any(1))}
