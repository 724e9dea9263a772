"""Which rows are mixed, and how much of each stays."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

from mmtrain.batch import Image, Tokens


@dataclass(frozen=True)
class Mix:
    """`partner` numbers the row that each row is mixed with, `share` is its own part in the mixture.

    `kept` is the row's own part in each place of a coarse grid laid over its pictures. A row that is not mixed is its own
    partner, with share 1, and passes unchanged to the bit.
    """

    partner: Int[Tensor, " B"]
    share: Float[Tensor, " B"]
    kept: Float[Tensor, "B R C"]

    @classmethod
    def of(cls, partner: Int[Tensor, " B"], kept: Float[Tensor, "B R C"]) -> "Mix":
        """The share is the mean of what is kept; rows that keep everything are not mixed."""
        share = kept.mean((1, 2))
        return cls(torch.where(share < 1, partner, torch.arange(len(partner), device=partner.device)), share, kept)

    def take(self, index: Int[Tensor, " K"]) -> "Mix":
        """The mixing among these rows alone; they hold the partners of all that are mixed."""
        places = torch.zeros_like(self.partner)
        places[index] = torch.arange(len(index), device=index.device)
        return Mix(places[self.partner[index]], self.share[index], self.kept[index])

    def pictures(self, inputs: Image) -> Image:
        """Blend pixels: all of a picture evenly, or some of its places and not the others."""
        kept = functional.interpolate(self.kept[:, None], inputs.pixels.shape[2:], mode="nearest")
        return Image(kept * inputs.pixels + (1 - kept) * inputs.pixels[self.partner])

    def tokens(self, tokens: Tokens) -> Tokens:
        """Blend tokens place by place, where one row has none with 0 (Guo et al. 2019, section 3, "wordMixup", but behind the encoder)."""
        own, share = torch.where(tokens.mask[:, :, None], tokens.values, 0), self.share[:, None, None]
        values = (share * own + (1 - share) * own[self.partner]).to(own.dtype)
        return replace(tokens, values=values, mask=tokens.mask | tokens.mask[self.partner])


def draw(present: Mapping[str, Bool[Tensor, " B"]], *, alpha: float, probability: float) -> tuple[Int[Tensor, " B"], Float[Tensor, " B"]]:
    """A partner for each row, and a share, which is 1 where the row is not to be mixed.

    The rows of each set of modalities stand in a ring in random order, and each is the partner of the next; where one ring
    ends and another begins, a row stays alone. The share is drawn from Beta(alpha, alpha), or is its rest where that is more: the
    row itself is at least half of the mixture, which changes no pair's odds where pictures are blended evenly, and lets a
    label stand alone where the partner has none (as Berthelot et al. 2019, equation 9).
    """
    pattern = torch.stack(list(present.values())).long()
    rows, device = pattern.shape[1], pattern.device
    code = (pattern << torch.arange(len(pattern), device=device)[:, None]).sum(0)
    order = torch.randperm(rows, device=device)
    order = order[code[order].argsort(stable=True)]
    partner = torch.empty_like(order)
    partner[order] = order.roll(1)
    rate = torch.full((), alpha, device=device)
    drawn = torch.distributions.Beta(rate, rate, validate_args=False).sample((rows,))
    own = torch.arange(rows, device=device)
    alone = (code != code[partner]) | (partner == own) | (torch.rand(rows, device=device) >= probability)
    return partner, torch.where(alone, 1, torch.maximum(drawn, 1 - drawn))
