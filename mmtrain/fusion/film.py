"""Feature-wise linear modulation."""

from collections.abc import Mapping
from typing import ClassVar

import torch
from jaxtyping import Bool
from torch import Tensor, nn

from mmtrain.batch import FUSED, Fused, Tokens
from mmtrain.errors import ConfigError, Problem, nearest
from mmtrain.fusion.join import join_layers
from mmtrain.fusion.pool import Pool
from mmtrain.option import Count, Dropout


class FiLM(nn.Module):
    """Let one of two modalities scale and shift the vector of the other, number by number: (1 + g(c)) * x + b(c), then a hidden layer.

    `condition` names the modality c that modulates, by default the first in the alphabet; g and b are linear maps. Without c, x stays
    as it is; without x, the shift alone is left.

    Source: Perez et al. 2018, FiLM, equation 2, at one layer, with the scale as 1 + g as in its section 3.

    Raises:
        ConfigError: `condition` is none of the two.
    """

    modalities: ClassVar[int] = 2

    def __init__(
        self,
        in_dims: Mapping[str, int],
        *,
        out_dim: Count = 128,
        condition: str | None = None,
        pooled_dim: Count = 128,
        hidden_dim: Count = 256,
        dropout: Dropout = 0.0,
    ) -> None:
        super().__init__()
        if condition is not None and condition not in in_dims:
            raise ConfigError(Problem("condition", f"'{condition}' is no modality", nearest(condition, in_dims)))
        self.views = [FUSED]
        self.out_dim = out_dim
        self.pool = Pool(in_dims, out_dim=pooled_dim)
        self.condition = 0 if condition is None else self.pool.names.index(condition)
        self.modulation = nn.Linear(pooled_dim, 2 * pooled_dim)
        self.join = join_layers(pooled_dim, hidden_dim=hidden_dim, out_dim=out_dim, dropout=dropout)

    def forward(self, tokens: Mapping[str, Tokens], present: Mapping[str, Bool[Tensor, " B"]]) -> dict[str, Fused]:
        """The one view `fused`, which can speak for every row that has a modality."""
        vectors, there = self.pool(tokens, present)
        modulation = self.modulation(vectors[:, self.condition])
        scale, shift = torch.where(there[:, self.condition, None], modulation, 0.0).chunk(2, 1)
        return {FUSED: Fused(self.join((1 + scale) * vectors[:, 1 - self.condition] + shift), tokens, there.any(1))}
