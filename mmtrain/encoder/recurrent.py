"""Recurrent layers over rows of different lengths, in one direction or in both."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

Cell = type[nn.GRU] | type[nn.LSTM]


class Recurrent(nn.Module):
    """`layers` layers of `cell` (nn.GRU, nn.LSTM), each direction `hidden` wide, and a linear map of the last states to `out_dim`.

    Dropout acts on what enters and behind each layer. Masked places stand behind the others; no state depends on them, and the result
    is 0 there.

    Source: both directions as in Schuster and Paliwal 1997.
    """

    def __init__(
        self,
        cell: type[nn.GRU] | type[nn.LSTM],
        in_dim: int,
        out_dim: int,
        *,
        hidden: int,
        layers: int,
        bidirectional: bool,
        dropout: float,
    ) -> None:
        super().__init__()
        width = hidden * (2 if bidirectional else 1)
        in_dims = [in_dim] + [width] * (layers - 1)
        self.forwards = nn.ModuleList(cell(in_dim, hidden, batch_first=True) for in_dim in in_dims)
        self.backwards = nn.ModuleList(cell(in_dim, hidden, batch_first=True) for in_dim in in_dims) if bidirectional else None
        self.dropout = nn.Dropout(dropout)
        self.readout = nn.Linear(width, out_dim)

    def forward(self, values: Float[Tensor, "B L D"], mask: Bool[Tensor, "B L"]) -> Float[Tensor, "B L E"]:
        """One vector a place: the states there."""
        values, mirrored = self.dropout(torch.where(mask[:, :, None], values, 0)), _mirrored(mask)
        for number, layer in enumerate(self.forwards):
            states = layer(values)[0]
            if self.backwards is not None:
                # Each row is turned around within its own length: the padding stays behind, where no state depends on it.
                states = torch.cat([states, _turned(self.backwards[number](_turned(values, mirrored))[0], mirrored)], -1)
            values = self.dropout(states)
        return torch.where(mask[:, :, None], self.readout(values), 0)


def _mirrored(mask: Bool[Tensor, "B L"]) -> Int[Tensor, "B L"]:
    """For each place the place of the same token when the row is read from its end; padding stays where it is."""
    places = torch.arange(mask.shape[1], device=mask.device)
    return torch.where(mask, mask.sum(1, keepdim=True) - 1 - places, places)


def _turned(values: Float[Tensor, "B L D"], places: Int[Tensor, "B L"]) -> Float[Tensor, "B L D"]:
    return values.gather(1, places[:, :, None].expand_as(values))
