"""Rows that lack a modality are left out."""

from collections.abc import Mapping
from typing import ClassVar

import torch
from jaxtyping import Bool
from torch import Tensor, nn

from mmtrain.batch import Tokens
from mmtrain.missing.dropout import ModalityDropout, restricted
from mmtrain.missing.stand_in import Supplied
from mmtrain.option import Dropout


class Drop(nn.Module):
    """Learn from whole rows alone: a row that lacks a modality enters no loss, and its labels in train are taken away.

    In evaluation and prediction such a row is answered with the task's prior, as one without any modality. What is fitted on the
    table (vocabularies, scales, labels and their frequencies) still sees all rows. `dropout` is the probability with which a modality is
    taken away from a whole training row; it keeps at least one.
    """

    whole_rows: ClassVar[bool] = True

    def __init__(self, dims: Mapping[str, int], *, dropout: Dropout = 0.0) -> None:
        super().__init__()
        self.dropout = ModalityDropout(dropout)

    def forward(self, tokens: Mapping[str, Tokens], present: Mapping[str, Bool[Tensor, " B"]]) -> Supplied:
        """The whole rows; of all others, nothing."""
        whole = torch.stack(list(present.values())).all(0)
        given, left = self.dropout({name: restricted(part, whole) for name, part in tokens.items()}, dict.fromkeys(present, whole))
        return given, left, left
