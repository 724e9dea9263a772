"""What encoders of series read: steps, or patches of steps."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from mmtrain.batch import Series


def steps_of(inputs: Series) -> Float[Tensor, "B T M"]:
    """Values, 0 where not known, and behind them a 1 for each that is known; all 0 where the mask is false."""
    known = inputs.known & inputs.mask[:, :, None]
    values = torch.where(known, inputs.values, 0)
    return torch.cat([values, known.to(values.dtype)], 2)


def patches_of(inputs: Series, patch: int) -> tuple[Float[Tensor, "B L P"], Bool[Tensor, "B L"]]:
    """`patch` steps side by side, and which patches have a step; the last may be partly filled, with zeros."""
    missing = -inputs.mask.shape[1] % patch
    mask = functional.pad(inputs.mask, (0, missing)).unflatten(1, (-1, patch)).any(2)
    return functional.pad(steps_of(inputs), (0, 0, 0, missing)).unflatten(1, (-1, patch)).flatten(2), mask
