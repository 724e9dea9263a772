"""The heads: a vector in, a prediction out. Normalisation is per row, never over the batch."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import logsigmoid

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

    def forward(self, vector: Float[Tensor, "*B D"], fused: Fused) -> Float[Tensor, "*B C"]:
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


class OrdinalHead(nn.Module):
    """Layers as in `ClassHead`, then one score s a row and the log probabilities of C ordered classes: (B, C).

    The chance of class j or a lower one is sigmoid(threshold_j - s), with thresholds that rise: the first is 0 (the bias of the score
    stands in its place), and each further one lies the exponential of a free number above the last. So they stay ordered, whatever
    is learned, and one score shifts the odds of all of them alike. They begin where the softmax of `prior` has them.
    Source: McCullagh 1980, equation 2.2 (proportional odds); there the thresholds are kept in order by the likelihood alone.
    """

    def __init__(self, in_dim: int, prior: Float[Tensor, " C"], *, hidden: Sequence[int], dropout: float) -> None:
        super().__init__()
        below = prior.double().softmax(0).cumsum(0)[:-1].logit()
        self.score = NumberHead(in_dim, -below[0].float(), hidden=hidden, dropout=dropout)
        self.gaps = nn.Parameter(below.diff().log().float())

    def forward(self, vector: Float[Tensor, "B D"], fused: Fused) -> Float[Tensor, "B C"]:
        """Predict from the vector alone."""
        gaps = self.gaps.exp()
        edges = torch.cat([gaps.new_zeros(1), gaps.cumsum(0)]) - self.score(vector, fused)[:, None]
        # log(sigmoid(b) - sigmoid(a)) of the edges a < b of a class, without a difference of two numbers that are nearly 1
        inner = logsigmoid(edges[:, 1:]) + logsigmoid(-edges[:, :-1]) + (-torch.expm1(-gaps)).log()
        return torch.cat([logsigmoid(edges[:, :1]), inner, logsigmoid(-edges[:, -1:])], 1)


def sizes(hidden: int | Sequence[int]) -> list[int]:
    """Sizes of the hidden layers: those listed, or one of this size; 0 is none."""
    if isinstance(hidden, int):
        return [hidden] if hidden > 0 else []
    return list(hidden)
