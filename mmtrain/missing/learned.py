"""A trained token stands in for what is absent."""

from collections.abc import Mapping

import torch
from jaxtyping import Bool
from torch import Tensor, nn

from mmtrain.batch import Tokens
from mmtrain.missing.dropout import ModalityDropout
from mmtrain.missing.stand_in import Supplied, supply
from mmtrain.option import Dropout

START = 0.02  # deviation of a new token's numbers, as of the mask token of Devlin et al. 2019


class Learned(nn.Module):
    """Let one token, trained with everything else and the same in all rows, stand in for an absent modality.

    It learns from training rows that lack the modality alone: where train has few of them, `dropout` makes them. That is the
    probability with which a modality is taken away from a training row; a row keeps at least one.
    """

    def __init__(self, dims: Mapping[str, int], *, dropout: Dropout = 0.0) -> None:
        super().__init__()
        self.dropout = ModalityDropout(dropout)
        self.names = sorted(dims)
        # a list: in a ParameterDict, a modality could not be called "values" or "type"
        self.tokens = nn.ParameterList(START * torch.randn(dims[name]) for name in self.names)

    def forward(self, tokens: Mapping[str, Tokens], present: Mapping[str, Bool[Tensor, " B"]]) -> Supplied:
        """Every modality present in every row that has any."""
        tokens, present = self.dropout(tokens, present)
        return supply(tokens, present, dict(zip(self.names, self.tokens, strict=True)))
