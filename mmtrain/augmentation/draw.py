"""Random numbers, one a row."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


def uniform(rows: int, low: float, high: float, device: torch.device) -> Float[Tensor, " B"]:
    """From `low` to `high`."""
    return torch.empty(rows, device=device).uniform_(low, high)


def chance(rows: int, share: float, device: torch.device) -> Bool[Tensor, " B"]:
    """True with probability `share`."""
    return torch.rand(rows, device=device) < share


def whole(high: Int[Tensor, " B"]) -> Int[Tensor, " B"]:
    """Whole numbers from 0 to `high`, both of them drawn as often as any other."""
    drawn = (torch.rand(len(high), device=high.device) * (high + 1)).long()
    return torch.minimum(drawn, high)  # of a long row, rounding may reach the number after it


def place(lengths: Int[Tensor, " B"], total: Int[Tensor, " B"], size: int) -> Bool[Tensor, "B size"]:
    """A run of `lengths` places, drawn anywhere among the first `total` of `size`."""
    start = whole(total - lengths)[:, None]
    places = torch.arange(size, device=lengths.device)
    return (places >= start) & (places < start + lengths[:, None])


def span(total: Int[Tensor, " B"], size: int, widest: float) -> Bool[Tensor, "B size"]:
    """A run of places as in `place`, of any length from 0 to the share `widest` of `total`."""
    return place(whole((total * widest).long()), total, size)
