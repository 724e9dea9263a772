"""A box of another picture."""

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from mmtrain.errors import ConfigError, Problem
from mmtrain.mixing.mix import Mix, draw
from mmtrain.option import Fraction, Positive
from mmtrain.spec import ImageSpec


class Cutmix(nn.Module):
    """Put a box of another row's picture in place of each row's own; losses, and the tokens of all other kinds, are blended by the
    share of the picture that is left, counted in pixels.

    Beta(alpha, alpha) gives the share that is aimed at, more even the larger `alpha`; a row is mixed with `probability`. Pictures of
    several modalities lose the same part.

    Source: Yun et al. 2019, equations 1 and 2, with a box a row, wholly inside the picture and at most half of it.

    Raises:
        ConfigError: no modality is a picture, or the sizes of several have no common divisor, so that no box would fit all.
    """

    still: ClassVar[dict[str, float]] = {"probability": 0}

    def __init__(self, specs: Mapping[str, Any], *, alpha: Positive = 1.0, probability: Fraction = 0.5) -> None:
        super().__init__()
        self.alpha, self.probability = alpha, probability
        sizes = [(spec.height, spec.width) for spec in specs.values() if isinstance(spec, ImageSpec)]
        if not sizes:
            raise ConfigError(Problem("", "cutmix cuts pictures, and no modality is one", "choose mixing=mixup"))
        self.grid = math.gcd(*(height for height, _ in sizes)), math.gcd(*(width for _, width in sizes))
        if min(self.grid) < 2:
            found = "cutmix cannot cut pictures of " + " and ".join(f"{height} x {width}" for height, width in sizes) + " pixels alike"
            raise ConfigError(Problem("", found, "give them one height and width, or choose mixing=mixup"))

    def forward(self, present: Mapping[str, Bool[Tensor, " B"]]) -> Mix:
        """Draw partners and boxes."""
        partner, share = draw(present, alpha=self.alpha, probability=self.probability)
        down, across = (_run((1 - share).sqrt(), size) for size in self.grid)
        return Mix.of(partner, 1 - (down[:, :, None] & across[:, None, :]).float())


def _run(length: Float[Tensor, " B"], size: int) -> Bool[Tensor, "B size"]:
    """A run of `length` (a share of `size`), drawn anywhere among the places."""
    places = torch.arange(size, device=length.device)
    wide: Int[Tensor, " B"] = (length * size).round().long()
    start = (torch.rand_like(length) * (size + 1 - wide)).long()[:, None]
    return (places >= start) & (places < start + wide[:, None])
