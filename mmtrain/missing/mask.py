"""Absent stays absent."""

from collections.abc import Mapping

from jaxtyping import Bool
from torch import Tensor, nn

from mmtrain.batch import Tokens


class Mask(nn.Module):
    """Pass tokens and presence on unchanged: the fusion reads the masks and leaves absent modalities out."""

    def __init__(self, dims: Mapping[str, int]) -> None:
        super().__init__()
        self.dims = dict(dims)

    def forward(
        self, tokens: dict[str, Tokens], present: dict[str, Bool[Tensor, " B"]]
    ) -> tuple[dict[str, Tokens], dict[str, Bool[Tensor, " B"]]]:
        """The same tokens, the same presence."""
        return tokens, present
