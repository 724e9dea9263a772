"""Absent stays absent."""

from collections.abc import Mapping

from jaxtyping import Bool
from torch import Tensor, nn

from mmtrain.batch import Tokens
from mmtrain.missing.dropout import ModalityDropout
from mmtrain.missing.stand_in import Supplied
from mmtrain.option import Dropout


class Mask(nn.Module):
    """Pass tokens and presence on unchanged: the fusion reads the masks and leaves absent modalities out.

    `dropout` is the probability with which a modality is taken away from a training row; a row keeps at least one.
    """

    def __init__(self, dims: Mapping[str, int], *, dropout: Dropout = 0.0) -> None:
        super().__init__()
        self.dropout = ModalityDropout(dropout)

    def forward(self, tokens: Mapping[str, Tokens], present: Mapping[str, Bool[Tensor, " B"]]) -> Supplied:
        """The same tokens, the same presence, but for what dropout takes."""
        given, left = self.dropout(tokens, present)
        return given, left, left
