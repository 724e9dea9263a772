"""How encoders of pictures end: a map is read out as a small grid of tokens."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from mmtrain.batch import Tokens


class GridReadout(nn.Module):
    """A map, averaged to `grid` x `grid` places, each of which has a projection of its own.

    The mean of the tokens is then one linear map of the whole grid, so that a fusion that pools tokens still sees what stands where.
    """

    def __init__(self, channels: int, out_dim: int, *, grid: int, dropout: float) -> None:
        super().__init__()
        self.grid = grid
        self.dropout = nn.Dropout(dropout)
        self.places = PlaceLinear(grid * grid, channels, out_dim)

    def forward(self, values: Float[Tensor, "B C H W"]) -> Tokens:
        """Tokens row by row of the grid."""
        places = functional.adaptive_avg_pool2d(values, self.grid).flatten(2).transpose(1, 2)
        return every_token(self.places(self.dropout(places)), (self.grid, self.grid))


class PlaceLinear(nn.Module):
    """A linear map for each place: token l = W_l x_l + b_l."""

    def __init__(self, places: int, in_dim: int, out_dim: int) -> None:
        super().__init__()
        bound = 1 / math.sqrt(in_dim)  # as nn.Linear draws them
        self.weight = nn.Parameter(torch.empty(places, in_dim, out_dim).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(places, 1, out_dim).uniform_(-bound, bound))

    def forward(self, values: Float[Tensor, "B L C"]) -> Float[Tensor, "B L D"]:
        """Map each place by its own matrix."""
        return torch.baddbmm(self.bias, values.transpose(0, 1), self.weight).transpose(0, 1)


def every_token(values: Float[Tensor, "B L D"], grid: tuple[int, int] | None) -> Tokens:
    """Tokens none of which is padding: all pictures of a batch have one size."""
    return Tokens(values, torch.ones(values.shape[:2], dtype=torch.bool, device=values.device), grid)
