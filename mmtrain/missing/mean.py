"""The mean of the train rows stands in for what is absent."""

from collections.abc import Mapping
from typing import Annotated

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from mmtrain.batch import Tokens
from mmtrain.missing.dropout import ModalityDropout
from mmtrain.missing.stand_in import Supplied, pooled, supply
from mmtrain.option import Dropout, Range


class Mean(nn.Module):
    """Let the mean of a modality's tokens over the train rows that have it stand in for it where it is absent.

    A row counts with the mean of its tokens. The mean runs along, because encoders change while they are trained: all batches
    count alike until there have been 1 / `momentum` of them, then `momentum` is the share of the newest one. It learns in
    training only, from real tokens only, and before it stands in, so that the first batch does not meet zeros; no gradient
    flows into it. `dropout` is the probability with which a modality is taken away from a training row; a row keeps at least
    one. What was taken still counts in the mean.
    """

    def __init__(
        self, dims: Mapping[str, int], *, momentum: Annotated[float, Range(above=0, high=1)] = 0.1, dropout: Dropout = 0.0
    ) -> None:
        super().__init__()
        self.dropout = ModalityDropout(dropout)
        self.momentum = momentum
        for name, dim in sorted(dims.items()):
            self.register_buffer(f"mean_{name}", torch.zeros(dim))
            self.register_buffer(f"batches_{name}", torch.zeros((), dtype=torch.long))

    def forward(self, tokens: Mapping[str, Tokens], present: Mapping[str, Bool[Tensor, " B"]]) -> Supplied:
        """Every modality present in every row that has any."""
        if self.training:
            for name, part in tokens.items():
                self._learn(getattr(self, f"mean_{name}"), getattr(self, f"batches_{name}"), part, present[name])
        tokens, present = self.dropout(tokens, present)
        return supply(tokens, present, {name: getattr(self, f"mean_{name}") for name in tokens})

    @torch.no_grad()
    def _learn(self, mean: Float[Tensor, " D"], batches: Int[Tensor, ""], tokens: Tokens, present: Bool[Tensor, " B"]) -> None:
        """Take the batch in; one where no row has the modality changes nothing. Nothing waits for the device."""
        vectors, there = pooled(tokens, present)
        rows = there.sum()
        newest = vectors.sum(0) / rows.clamp(min=1)
        share = (1 / (batches + 1)).clamp(min=self.momentum)
        mean.copy_(torch.where(rows > 0, mean + share * (newest - mean), mean))
        batches.add_(rows > 0)
