"""A fusion with views of the single modalities beside it."""

from collections.abc import Mapping
from typing import Any

from jaxtyping import Bool
from torch import Tensor, nn

from mmtrain.batch import Fused, Tokens


class Hybrid(nn.Module):
    """Views of a fusion, and those of a late one: single modalities that are trained on the same tasks and the same encoders.

    It is what `model.auxiliary` makes of any fusion that joins its modalities.
    """

    def __init__(self, fused: Any, late: Any) -> None:
        super().__init__()
        self.fused, self.late = fused, late
        self.views = [*fused.views, *late.views]
        self.out_dim = fused.out_dim

    def forward(self, tokens: Mapping[str, Tokens], present: Mapping[str, Bool[Tensor, " B"]]) -> dict[str, Fused]:
        """All views."""
        return {**self.fused(tokens, present), **self.late(tokens, present)}
