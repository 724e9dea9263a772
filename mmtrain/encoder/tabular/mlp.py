"""A multilayer perceptron over numbers and categories."""

import math
from itertools import accumulate

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from mmtrain.batch import Tabular, Tokens
from mmtrain.option import Count, Dropout, Positive
from mmtrain.spec import TabularSpec


class MLP(nn.Module):
    """Numbers with flags of what is known, and embedded categories, through `layers` layers of `hidden` units, to one token a row.

    With `frequencies`, each number also enters as that many sines and as many cosines, projected to `number_dim`: of plain numbers a
    network learns steps and bumps slowly. Their frequencies are learned; they start with a deviation of `frequency_scale` turns
    per unit of a scaled number.
    """

    def __init__(
        self,
        spec: TabularSpec,
        *,
        out_dim: Count = 128,
        hidden: Count = 256,
        layers: Count = 2,
        dropout: Dropout = 0.1,
        category_dim: Count = 8,
        frequencies: Count | None = 16,
        frequency_scale: Positive = 1.0,
        number_dim: Count = 8,
    ) -> None:
        super().__init__()
        self.out_dim = out_dim
        self.categories = Categories(spec.cardinalities, category_dim) if spec.cardinalities else None
        self.periodic = Periodic(spec.numeric, frequencies, frequency_scale, number_dim) if frequencies and spec.numeric else None
        width = 2 * spec.numeric + category_dim * len(spec.cardinalities) + (number_dim * spec.numeric if self.periodic else 0)
        blocks: list[nn.Module] = []
        for _ in range(layers):
            blocks += [nn.Linear(width, hidden), nn.LayerNorm(hidden), nn.GELU(), nn.Dropout(dropout)]
            width = hidden
        self.layers = nn.Sequential(*blocks, nn.Linear(width, out_dim))

    def forward(self, inputs: Tabular) -> Tokens:
        """One token a row."""
        numeric = torch.where(inputs.known, inputs.numeric, 0)
        parts = [numeric, inputs.known.to(numeric.dtype)]
        if self.periodic is not None:
            parts.append(self.periodic(numeric, inputs.known))
        if self.categories is not None:
            parts.append(self.categories(inputs.categorical))
        tokens = self.layers(torch.cat(parts, 1))[:, None]
        return Tokens(tokens, torch.ones(tokens.shape[:2], dtype=torch.bool, device=tokens.device))


class Categories(nn.Module):
    """A learned vector for each category of each column, in one table."""

    starts: Int[Tensor, " C"]

    def __init__(self, cardinalities: tuple[int, ...], dim: int) -> None:
        super().__init__()
        self.table = nn.Embedding(sum(cardinalities), dim)
        self.register_buffer("starts", torch.tensor([0, *accumulate(cardinalities[:-1])]), persistent=False)

    def forward(self, codes: Int[Tensor, "B C"]) -> Float[Tensor, "B W"]:
        """The vectors of a row, side by side."""
        return self.table(codes + self.starts).flatten(1)


class Periodic(nn.Module):
    """Sines and cosines of each number at learned frequencies, then a linear map of each number's own, then ReLU; 0 where not known.

    Source: Gorishniy et al. 2022, On Embeddings for Numerical Features in Tabular Deep Learning, section 3.3 ("PLR").
    """

    def __init__(self, numbers: int, frequencies: int, scale: float, dim: int) -> None:
        super().__init__()
        bound = 1 / math.sqrt(2 * frequencies)
        self.frequencies = nn.Parameter(scale * torch.randn(numbers, frequencies))
        self.weight = nn.Parameter(torch.empty(numbers, 2 * frequencies, dim).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(numbers, dim).uniform_(-bound, bound))

    def forward(self, numbers: Float[Tensor, "B N"], known: Bool[Tensor, "B N"]) -> Float[Tensor, "B W"]:
        """The embeddings of a row, side by side."""
        angles = 2 * math.pi * self.frequencies * numbers[:, :, None]
        waves = torch.cat([angles.sin(), angles.cos()], -1)
        embedded = functional.relu(torch.einsum("bnf,nfd->bnd", waves, self.weight) + self.bias)
        return torch.where(known[:, :, None], embedded, 0).flatten(1)
