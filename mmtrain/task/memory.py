"""What a decoder looks at when it writes a text, and how it learns to."""

from collections.abc import Mapping

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from mmtrain.batch import Fused, Tokens
from mmtrain.task.decoder import END, Decoder
from mmtrain.transformer import positions


class MemoryHead(nn.Module):
    """The fused vector as one token, then the tokens of each modality with their places, all mapped to `dim` numbers."""

    def __init__(self, in_dim: int, token_dims: Mapping[str, int], dim: int) -> None:
        super().__init__()
        self.names = sorted(token_dims)
        self.vector = nn.Linear(in_dim, dim)
        self.tokens = nn.ModuleList(nn.Linear(token_dims[name], dim) for name in self.names)

    def forward(self, vector: Float[Tensor, "B D"], fused: Fused) -> Float[Tensor, "B M _"]:
        """(B, M, dim + 1): the last channel is 1 where there is a token; all are 0 where there is none."""
        parts = [_closed(self.vector(vector)[:, None], vector.new_ones(len(vector), 1, dtype=torch.bool))]
        for name, layer in zip(self.names, self.tokens, strict=True):
            tokens = fused.tokens[name]
            values = layer(torch.where(tokens.mask[..., None], tokens.values, 0).float())
            parts.append(_closed(values + _places(tokens, values.shape[2]), tokens.mask))
        return torch.cat(parts, 1)


class TeacherForcing(nn.Module):
    """The loss of each row's text, a piece: what a decoder says of each next piece when it is shown those before.

    A piece that train never saw has no loss; the decoder reads that something strange stands there.
    """

    def __init__(self, decoder: Decoder, loss: nn.Module, length: int) -> None:
        super().__init__()
        self.decoder, self.loss, self.length = decoder, loss, length

    def forward(self, prediction: Float[Tensor, "K M D"], target: Int[Tensor, "K _"]) -> Float[Tensor, " K"]:
        """Mean over the pieces of a text and its end; the first `length` numbers of a target are their ids, 0 where there is none."""
        ids = target[:, : self.length]
        logits = self.decoder(*opened(prediction), functional.pad(ids[:, :-1], (1, 0)))
        scored = (ids >= END) & (ids < END + self.decoder.classes)
        losses = self.loss(logits.flatten(0, 1), torch.where(scored, ids - END, 0).flatten()).unflatten(0, ids.shape)
        return torch.where(scored, losses, 0.0).sum(1) / scored.sum(1).clamp(min=1)


def opened(prediction: Float[Tensor, "B M D"]) -> tuple[Float[Tensor, "B M _"], Bool[Tensor, "B M"]]:
    """The memory, and which of its tokens are there."""
    mask = prediction[..., -1] > 0
    return torch.where(mask[..., None], prediction[..., :-1], 0.0), mask


def _closed(values: Float[Tensor, "B L D"], mask: Bool[Tensor, "B L"]) -> Float[Tensor, "B L _"]:
    return torch.where(mask[..., None], torch.cat([values, torch.ones_like(values[..., :1])], 2), 0.0)


def _places(tokens: Tokens, dim: int) -> Float[Tensor, "L D"]:
    """Where each token stands: on a grid half of the numbers say in which row, and half in which column."""
    length, device = tokens.values.shape[1], tokens.values.device
    if tokens.grid is None:
        return positions(length, dim, device)
    rows, columns = tokens.grid
    row, column = positions(rows, dim // 2, device), positions(columns, dim - dim // 2, device)
    return torch.cat([row.repeat_interleave(columns, 0), column.repeat(rows, 1)], 1)
