"""Zeros stand in for what is absent."""

from collections.abc import Mapping

from jaxtyping import Bool
from torch import Tensor, nn

from mmtrain.batch import Tokens
from mmtrain.missing.dropout import ModalityDropout
from mmtrain.missing.stand_in import Supplied, supply
from mmtrain.option import Dropout


class Zero(nn.Module):
    """Let one token of zeros stand in for an absent modality.

    `dropout` is the probability with which a modality is taken away from a training row, which zeros then stand in for too; a row
    keeps at least one.
    """

    def __init__(self, dims: Mapping[str, int], *, dropout: Dropout = 0.0) -> None:
        super().__init__()
        self.dropout = ModalityDropout(dropout)

    def forward(self, tokens: Mapping[str, Tokens], present: Mapping[str, Bool[Tensor, " B"]]) -> Supplied:
        """Every modality present in every row that has any."""
        tokens, present = self.dropout(tokens, present)
        return supply(tokens, present, {name: part.values.new_zeros(part.values.shape[2]) for name, part in tokens.items()})
