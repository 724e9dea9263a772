"""Two rows blended evenly."""

from collections.abc import Mapping
from typing import Any

from jaxtyping import Bool
from torch import Tensor, nn

from mmtrain.mixing.mix import Mix, draw
from mmtrain.option import Fraction, Positive


class Mixup(nn.Module):
    """Blend each row with another: share * its own + (1 - share) * the other's, in what it shows and in its losses.

    The share comes from Beta(alpha, alpha), more even the larger `alpha`; a row is mixed with `probability`. Pictures are blended
    as pixels, other kinds, whose words and codes cannot be, as tokens.

    Source: Zhang et al. 2018, equation 1, with a share a row and never less than a half; for tokens Verma et al. 2019, equation 1.
    """

    def __init__(self, specs: Mapping[str, Any], *, alpha: Positive = 0.2, probability: Fraction = 1.0) -> None:
        super().__init__()
        self.alpha, self.probability = alpha, probability

    def forward(self, present: Mapping[str, Bool[Tensor, " B"]]) -> Mix:
        """Draw partners and shares."""
        partner, share = draw(present, alpha=self.alpha, probability=self.probability)
        return Mix.of(partner, share[:, None, None])
