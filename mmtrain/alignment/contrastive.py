"""Contrastive alignment: two modalities of one row find each other among those of the other rows."""

import math
from collections.abc import Mapping
from itertools import combinations

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from mmtrain.batch import Tokens
from mmtrain.option import Count, Positive

TEMPERATURE = 0.07  # at the start
LARGEST_SCALE = 100.0  # 1 / the lowest temperature
SMALLEST = 1e-8  # a vector that is shorter has no direction

Direction = tuple[Float[Tensor, "B D"], Bool[Tensor, " B"]]  # a vector of length 1 for each row, and which rows have one


class Contrastive(nn.Module):
    """Let each modality of a row tell which of the batch's rows another modality belongs to (symmetric InfoNCE), and the other way round.

    The mean of a modality's tokens goes through a linear map of its own to `dim` numbers and is brought to length 1. For each pair of
    modalities, cosine similarities between the rows that have both, divided by a learned temperature, are scored by cross-entropy
    with the row itself as the right answer, in both directions. The penalty is `weight` times the mean over rows, averaged over the
    pairs of modalities that at least two rows of the batch have in common; one row alone has nothing to be told from. Rows that are
    alike, such as those of one class, count as different: choose a small weight where a batch has many of them. With accumulated
    batches, rows are compared within each; with several processes, within each one's share.

    Source: Radford et al. 2021 (CLIP), figure 3 and section 2.5 (temperature: 0.07 at the start, scale at most 100); the loss is that of
    Oord et al. 2018, equation 4. CLIP's networks are our encoders; it knows two modalities, we average over all pairs.
    """

    def __init__(self, dims: Mapping[str, int], *, dim: Count = 128, weight: Positive = 0.1) -> None:
        super().__init__()
        self.weight = weight
        self.names = sorted(dims)
        # a list: in a ModuleDict, a modality could not be called "values" or "type"
        self.maps = nn.ModuleList(nn.Linear(dims[name], dim, bias=False) for name in self.names)
        self.log_scale = nn.Parameter(torch.tensor(-math.log(TEMPERATURE)))

    def forward(self, tokens: Mapping[str, Tokens], present: Mapping[str, Bool[Tensor, " B"]]) -> dict[str, Float[Tensor, ""]]:
        """The penalty `contrastive`, in float32 whatever the tokens are in; 0 where no two rows have two modalities in common."""
        with torch.autocast(tokens[self.names[0]].values.device.type, enabled=False):
            scale = self._scale()
            found = [_loss(one, other, scale) for one, other in combinations(self._directions(tokens, present), 2)]
            if not found:
                return {"contrastive": 0.0 * self.log_scale}  # a graph, so that this can be all that a batch is trained by
            losses, comparable = (torch.stack(part) for part in zip(*found, strict=True))
            mean = torch.where(comparable, losses, 0.0).sum() / comparable.sum().clamp(min=1)
        return {"contrastive": self.weight * mean}

    def _scale(self) -> Float[Tensor, ""]:
        # Clipped in place, as CLIP does after each step: clipped in the graph, a scale that once is too large would get no gradient back.
        with torch.no_grad():
            self.log_scale.clamp_(max=math.log(LARGEST_SCALE))
        return self.log_scale.exp()

    def _directions(self, tokens: Mapping[str, Tokens], present: Mapping[str, Bool[Tensor, " B"]]) -> list[Direction]:
        """Those of each modality; one that no row of the batch has (L = 0) is left out and does not touch its weights."""
        layers = zip(self.maps, self.names, strict=True)
        return [_direction(layer, tokens[name], present[name]) for layer, name in layers if tokens[name].values.shape[1] > 0]


def _direction(layer: nn.Module, tokens: Tokens, present: Bool[Tensor, " B"]) -> Direction:
    """The mapped mean of each row's tokens at length 1; 0 where there are none, or where they come to nothing."""
    mask = tokens.mask & present[:, None]
    values = tokens.values.to(torch.promote_types(tokens.values.dtype, torch.float32))
    mean = torch.where(mask[..., None], values, 0.0).sum(1) / mask.sum(1).clamp(min=1)[:, None]
    mapped = layer(mean)
    length = torch.linalg.vector_norm(mapped, dim=1, keepdim=True)
    # no gradient where there is no direction: that of 1 / length would know no bounds
    return torch.where(length > SMALLEST, mapped / length.clamp(min=SMALLEST), 0.0), mask.any(1)


def _loss(one: Direction, other: Direction, scale: Float[Tensor, ""]) -> tuple[Float[Tensor, ""], Bool[Tensor, ""]]:
    """The mean loss over the rows that have both, and whether at least two do."""
    both = one[1] & other[1]
    similar = scale * one[0] @ other[0].T
    lowest = torch.finfo(similar.dtype).min  # unlike -inf, gives no NaN where a whole row is left out
    logits = torch.where(both[:, None] & both[None, :], similar, lowest)
    losses = (logits.logsumexp(1) + logits.logsumexp(0)) / 2 - logits.diagonal()
    count = both.sum()
    return torch.where(both, losses, 0.0).sum() / count.clamp(min=1), count > 1
