"""The predictions of all views side by side."""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor


def gather(
    views: Sequence[str], predictions: Mapping[str, Float[Tensor, "B ..."]], present: Mapping[str, Bool[Tensor, " B"]]
) -> tuple[Float[Tensor, "V B ..."], Bool[Tensor, "V B ..."]]:
    """What each of V views predicts, 0 where it cannot speak for the row, and whether it can, in as many dimensions."""
    values = torch.stack([predictions[view] for view in views])
    there = torch.stack([present[view] for view in views])
    there = there.reshape(*there.shape, *[1] * (values.ndim - 2))
    # chosen, never multiplied: a view that cannot speak for a row may hold anything there
    return torch.where(there, values, 0.0), there


def average(values: Float[Tensor, "V B ..."], there: Bool[Tensor, "V B ..."]) -> Float[Tensor, "B ..."]:
    """The mean over the views that can speak for the row; 0 where none can."""
    return values.sum(0) / there.sum(0).clamp(min=1)
