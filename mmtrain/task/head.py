"""The heads: a vector in, a prediction out. Normalisation is per row, never over the batch."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from mmtrain.batch import Fused


class ClassHead(nn.Module):
    """Layers of the sizes `hidden`, then one logit a class: (B, C). Dropout falls on what each layer reads.

    The last bias begins at `prior`, so that no step is spent on learning how frequent each class is.
    """

    def __init__(self, in_dim: int, prior: Float[Tensor, " C"], *, hidden: Sequence[int], dropout: float) -> None:
        super().__init__()
        layers = [
            layer
            for size, next_size in pairwise([in_dim, *hidden])
            for layer in (nn.Dropout(dropout), nn.Linear(size, next_size), nn.LayerNorm(next_size), nn.GELU())
        ]
        last = nn.Linear([in_dim, *hidden][-1], len(prior))
        with torch.no_grad():
            last.bias.copy_(prior)
        self.layers = nn.Sequential(*layers, nn.Dropout(dropout), last)

    def forward(self, vector: Float[Tensor, "B D"], fused: Fused) -> Float[Tensor, "B C"]:
        """Predict from the vector alone."""
        return self.layers(vector)


class NumberHead(nn.Module):
    """As `ClassHead`, with one number a row: (B,)."""

    def __init__(self, in_dim: int, prior: Float[Tensor, ""], *, hidden: Sequence[int], dropout: float) -> None:
        super().__init__()
        self.head = ClassHead(in_dim, prior[None], hidden=hidden, dropout=dropout)

    def forward(self, vector: Float[Tensor, "B D"], fused: Fused) -> Float[Tensor, " B"]:
        """Predict from the vector alone."""
        return self.head(vector, fused).squeeze(1)


def sizes(hidden: int | Sequence[int]) -> list[int]:
    """Sizes of the hidden layers: those listed, or one of this size; 0 is none."""
    if isinstance(hidden, int):
        return [hidden] if hidden > 0 else []
    return list(hidden)
