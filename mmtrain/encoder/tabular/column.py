"""The cells of a table's columns as vectors, for every encoder of tables."""

import math
from itertools import accumulate

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from mmtrain.batch import Tabular, Tokens
from mmtrain.spec import TabularSpec


class Row(nn.Module):
    """All cells of a row side by side, `width` numbers: each number (0 where not known), a flag whether it is known, with `frequencies`
    its `Periodic` embedding of `number_dim` numbers, and each category's vector of `category_dim`.
    """

    def __init__(self, spec: TabularSpec, *, category_dim: int, frequencies: int | None, frequency_scale: float, number_dim: int) -> None:
        super().__init__()
        self.categories = Categories(spec.cardinalities, category_dim) if spec.cardinalities else None
        self.periodic = Periodic(spec.numeric, frequencies, frequency_scale, number_dim) if frequencies and spec.numeric else None
        self.width = 2 * spec.numeric + category_dim * len(spec.cardinalities) + (number_dim * spec.numeric if self.periodic else 0)

    def forward(self, inputs: Tabular) -> Float[Tensor, "B W"]:
        """One vector a row."""
        numeric = torch.where(inputs.known, inputs.numeric, 0)
        parts = [numeric, inputs.known.to(numeric.dtype)]
        if self.periodic is not None:
            parts.append(self.periodic(numeric, inputs.known).flatten(1))
        if self.categories is not None:
            parts.append(self.categories(inputs.categorical).flatten(1))
        return torch.cat(parts, 1)


class Categories(nn.Module):
    """A learned vector for each category of each column, in one table."""

    starts: Int[Tensor, " C"]

    def __init__(self, cardinalities: tuple[int, ...], dim: int) -> None:
        super().__init__()
        self.table = nn.Embedding(sum(cardinalities), dim)
        self.register_buffer("starts", torch.tensor([0, *accumulate(cardinalities[:-1])]), persistent=False)

    def forward(self, codes: Int[Tensor, "B C"]) -> Float[Tensor, "B C D"]:
        """A vector a cell."""
        return self.table(codes + self.starts)


class Periodic(nn.Module):
    """Sines and cosines of each number at learned frequencies, then a linear map of each number's own, then ReLU; 0 where not known.

    The frequencies start with a deviation of `scale` turns per unit of a scaled number.

    Source: Gorishniy et al. 2022, On Embeddings for Numerical Features in Tabular Deep Learning, section 3.3 ("PLR").
    """

    def __init__(self, numbers: int, frequencies: int, scale: float, dim: int) -> None:
        super().__init__()
        bound = 1 / math.sqrt(2 * frequencies)
        self.frequencies = nn.Parameter(scale * torch.randn(numbers, frequencies))
        self.weight = nn.Parameter(torch.empty(numbers, 2 * frequencies, dim).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(numbers, dim).uniform_(-bound, bound))

    def forward(self, numbers: Float[Tensor, "B N"], known: Bool[Tensor, "B N"]) -> Float[Tensor, "B N D"]:
        """A vector a cell."""
        angles = 2 * math.pi * self.frequencies * torch.where(known, numbers, 0)[:, :, None]
        waves = torch.cat([angles.sin(), angles.cos()], -1)
        embedded = functional.relu(torch.einsum("bnf,nfd->bnd", waves, self.weight) + self.bias)
        return torch.where(known[:, :, None], embedded, 0)


class Columns(nn.Module):
    """A vector of `dim` numbers for each cell: what it holds, and a bias of its column."""

    def __init__(self, spec: TabularSpec, dim: int, frequencies: int | None, frequency_scale: float) -> None:
        super().__init__()
        self.bias = drawn(spec.numeric + len(spec.cardinalities), dim)
        self.unknown = drawn(spec.numeric, dim) if spec.numeric else None
        self.periodic = Periodic(spec.numeric, frequencies, frequency_scale, dim) if frequencies and spec.numeric else None
        self.weight = drawn(spec.numeric, dim) if spec.numeric and self.periodic is None else None
        self.categories = Categories(spec.cardinalities, dim) if spec.cardinalities else None

    def forward(self, inputs: Tabular) -> Float[Tensor, "B L D"]:
        """Numbers, then categories."""
        parts = []
        if self.unknown is not None:
            parts.append(torch.where(inputs.known[:, :, None], self._numbers(inputs), self.unknown))
        if self.categories is not None:
            parts.append(self.categories(inputs.categorical))
        return torch.cat(parts, 1) + self.bias

    def _numbers(self, inputs: Tabular) -> Float[Tensor, "B N D"]:
        if self.weight is not None:
            return torch.where(inputs.known, inputs.numeric, 0)[:, :, None] * self.weight
        assert self.periodic is not None
        return self.periodic(inputs.numeric, inputs.known)


def drawn(*shape: int) -> nn.Parameter:
    """Uniform numbers, as `nn.Linear` draws its own."""
    bound = 1 / math.sqrt(shape[-1])
    return nn.Parameter(torch.empty(shape).uniform_(-bound, bound))


def one_token(values: Float[Tensor, "B D"]) -> Tokens:
    """A token a row, none masked."""
    return Tokens(values[:, None], torch.ones(len(values), 1, dtype=torch.bool, device=values.device))
