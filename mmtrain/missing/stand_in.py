"""One token in the place of an absent modality, and the one vector that a modality's tokens come to."""

from collections.abc import Mapping

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from mmtrain.batch import Tokens

Presence = Mapping[str, Bool[Tensor, " B"]]
Supplied = tuple[Mapping[str, Tokens], Presence, Presence]  # what the fusion reads, what counts as present there, and what is real of it


def supply(
    tokens: Mapping[str, Tokens], present: Mapping[str, Bool[Tensor, " B"]], stand_ins: Mapping[str, Float[Tensor, "..."]]
) -> Supplied:
    """Let `stand_ins[m]`, (D,) or one a row (B, D), stand in for modality m in the rows that have another modality.

    Tokens that lie on a grid stay there. A stand-in does not: it has the first place and no other, so that a row is on the grid where
    its mask is true everywhere, whatever other rows lack.
    """
    anyone = torch.stack(list(present.values())).any(0)
    filled = {name: _filled(part, present[name], anyone & ~present[name], stand_ins[name]) for name, part in tokens.items()}
    return filled, dict.fromkeys(present, anyone), present


def _filled(tokens: Tokens, present: Bool[Tensor, " B"], lacking: Bool[Tensor, " B"], stand_in: Float[Tensor, "..."]) -> Tokens:
    """The stand-in becomes the first token of the rows that lack the modality."""
    room = 0 if tokens.values.shape[1] else 1  # no row of the batch has the modality
    mask = functional.pad(tokens.mask & present[:, None], (0, room))
    values = torch.where(mask[..., None], functional.pad(tokens.values, (0, 0, 0, room)), 0.0)
    first = lacking[:, None] & (torch.arange(mask.shape[1], device=mask.device) == 0)
    one_each = stand_in.to(values.dtype).expand(len(lacking), -1)[:, None]
    return Tokens(torch.where(first[..., None], one_each, values), mask | first, None if room else tokens.grid, tokens.penalties)


def pooled(tokens: Tokens, present: Bool[Tensor, " B"]) -> tuple[Float[Tensor, "B D"], Bool[Tensor, " B"]]:
    """The mean of each row's tokens in float32, exactly 0 where a row has none, and which rows have any; L may be 0."""
    mask = tokens.mask & present[:, None]
    total = torch.where(mask[..., None], tokens.values, 0.0).float().sum(1)
    return total / mask.sum(1).clamp(min=1)[:, None], mask.any(1)
