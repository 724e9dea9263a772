"""Two modalities of a row as two vectors: the head that makes them, and the loss that brings them together."""

import math
from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from mmtrain.batch import Fused, Tokens

LARGEST_SCALE = 100.0  # 1 / the lowest temperature
SMALLEST = 1e-8  # a vector that is shorter has no direction


class PairHead(nn.Module):
    """The mean of each modality's tokens through a linear map of its own, brought to length 1: (B, 2, dim); 0 where there are none.

    Of the vector nothing is read: what a fusion made of both modalities would give one away to the other.
    Source: Radford et al. 2021, figure 3.
    """

    def __init__(self, modalities: Sequence[str], token_dims: Mapping[str, int], *, dim: int) -> None:
        super().__init__()
        self.modalities = list(modalities)
        # a list: in a ModuleDict, a modality could not be called "values" or "type"
        self.maps = nn.ModuleList(nn.Linear(token_dims[name], dim, bias=False) for name in modalities)

    def forward(self, vector: Float[Tensor, "B D"], fused: Fused) -> Float[Tensor, "B 2 dim"]:
        """Both vectors of each row, in the order of the modalities."""
        return torch.stack([_direction(layer, fused.tokens[name]) for layer, name in zip(self.maps, self.modalities, strict=True)], 1)


def _direction(layer: nn.Module, tokens: Tokens) -> Float[Tensor, "B dim"]:
    values = torch.where(tokens.mask[..., None], tokens.values, 0.0).float()
    mapped = layer(values.sum(1) / tokens.mask.sum(1).clamp(min=1)[:, None])
    length = torch.linalg.vector_norm(mapped, dim=1, keepdim=True)
    # no gradient where there is no direction: that of 1 / length would know no bounds
    known = tokens.mask.any(1)[:, None] & (length > SMALLEST)
    return torch.where(known, mapped / length.clamp(min=SMALLEST), 0.0)


class PairLoss(nn.Module):
    """Symmetric InfoNCE over the rows that it is given: each vector tells which row's partner is its own, in both directions.

    Cosines, divided by a learned temperature, are scored by cross-entropy with the row itself as the right answer; a row's loss is the
    mean of both directions. A row that lacks a vector (0) costs nothing and is nothing that others are told from.

    Source: Radford et al. 2021 (CLIP), figure 3 and section 2.5 (`temperature` at the start, a scale of at most 100); there the
    loss is the mean over the rows, which the caller takes here.
    """

    def __init__(self, temperature: float) -> None:
        super().__init__()
        self.log_scale = nn.Parameter(torch.tensor(-math.log(temperature)))

    def forward(self, prediction: Float[Tensor, "K 2 dim"], target: Int[Tensor, " K"]) -> Float[Tensor, " K"]:
        """Loss of each row, none below 0. What the target holds is not read: every row is its own class."""
        known = (prediction != 0).any(2).all(1)
        similar = self._scale() * prediction[:, 0] @ prediction[:, 1].T
        lowest = torch.finfo(similar.dtype).min  # unlike -inf, gives no NaN where a whole row is left out
        logits = torch.where(known[:, None] & known, similar, lowest)
        own = torch.arange(len(logits), device=logits.device)
        losses = [functional.cross_entropy(scores, own, reduction="none") for scores in (logits, logits.T)]
        return torch.where(known, (losses[0] + losses[1]) / 2, 0.0)

    def _scale(self) -> Float[Tensor, ""]:
        largest = math.log(LARGEST_SCALE)
        if self.training:
            # In place, as CLIP does after each step: clipped in the graph alone, a scale that once is too large would get no gradient back.
            # Through `data`, since the loss may be asked twice before one backward pass; only the first time can change anything.
            self.log_scale.data.clamp_(max=largest)
        return self.log_scale.clamp(max=largest).exp()
