"""The one ordinary backward pass of all loss weightings."""

from collections.abc import Mapping
from functools import reduce

import torch
from jaxtyping import Float
from torch import Tensor


def backward_weighted_sum(
    losses: Mapping[str, Float[Tensor, ""]],
    weights: Mapping[str, Float[Tensor, ""] | float],
    penalty: Float[Tensor, ""] | None,
    scale: Float[Tensor, ""] | float,
) -> None:
    """Add the gradient of `scale * (sum of weight * loss + penalty)` to `.grad`; nothing to add is nothing to do."""
    terms = [weights[task] * loss for task, loss in losses.items()]
    if penalty is not None:
        terms.append(penalty)
    if terms:
        torch.autograd.backward(scale * reduce(torch.add, terms))
