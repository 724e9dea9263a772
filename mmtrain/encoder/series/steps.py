"""What every encoder of series reads of a step."""

import torch
from jaxtyping import Float
from torch import Tensor

from mmtrain.batch import Series


def steps_of(inputs: Series) -> Float[Tensor, "B T M"]:
    """Values, 0 where not known, and behind them a 1 for each that is known; all 0 where the mask is false."""
    known = inputs.known & inputs.mask[:, :, None]
    values = torch.where(known, inputs.values, 0)
    return torch.cat([values, known.to(values.dtype)], 2)
