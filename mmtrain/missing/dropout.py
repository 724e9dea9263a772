"""Whole modalities taken away from training rows, so that a model learns to do without."""

from collections.abc import Mapping
from dataclasses import replace

import torch
from jaxtyping import Bool
from torch import Tensor, nn

from mmtrain.batch import Tokens

Given = tuple[Mapping[str, Tokens], Mapping[str, Bool[Tensor, " B"]]]


class ModalityDropout(nn.Module):
    """In training, make each present modality of a row absent with probability `rate`, independently, but never all of them.

    Where chance would take the last one, one of the row's modalities stays, each as likely: of a row with n modalities each goes
    with probability rate - rate**n / n, and a row with one keeps it. Nothing happens in evaluation.

    Source: Neverova et al. 2016 (ModDrop); there nothing keeps a row from losing all of its modalities.
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, tokens: Mapping[str, Tokens], present: Mapping[str, Bool[Tensor, " B"]]) -> Given:
        """What is left of tokens and presence."""
        if not self.training or self.rate == 0:
            return tokens, present
        names = sorted(present)  # a run does not depend on the order in which a configuration names them
        there = torch.stack([present[name] for name in names], 1)
        draw = torch.rand(there.shape, device=there.device)
        largest = torch.where(there, draw, -1.0).amax(1, keepdim=True)
        left = there & ((draw >= self.rate) | (draw == largest))
        kept = dict(zip(names, left.unbind(1), strict=True))
        return {name: restricted(part, kept[name]) for name, part in tokens.items()}, {name: kept[name] for name in present}


def restricted(tokens: Tokens, rows: Bool[Tensor, " B"]) -> Tokens:
    """The tokens of these rows; all others are absent."""
    mask = tokens.mask & rows[:, None]
    return replace(tokens, values=torch.where(mask[..., None], tokens.values, 0.0), mask=mask)
