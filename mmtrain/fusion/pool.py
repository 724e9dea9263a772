"""From tokens to one vector a modality: what every fusion that joins vectors does first."""

from collections.abc import Mapping
from functools import reduce

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from mmtrain.batch import Tokens

NARROW = 8  # of fewer numbers than this, normalising would leave little but their signs


def summarise(tokens: Tokens, present: Bool[Tensor, " B"]) -> Float[Tensor, "B 2 D"]:
    """Mean and maximum over the tokens of each row; 0 where a row has none. Needs L > 0."""
    mask = (tokens.mask & present[:, None])[..., None]
    counts = mask.sum(1)
    # chosen, never multiplied: 0 * NaN is NaN, and so is its gradient
    mean = torch.where(mask, tokens.values, 0.0).sum(1) / counts.clamp(min=1)
    maximum = torch.where(mask, tokens.values, -torch.inf).amax(1)
    return torch.stack([mean, torch.where(counts > 0, maximum, 0.0)], 1)


class Pool(nn.Module):
    """Turn the tokens of each modality into a vector: mean and maximum, each normalised, a linear map, LayerNorm, GELU.

    Normalising first makes the fusion indifferent to the scale of an encoder's tokens: small ones would drown in the bias of
    the linear map, and learn slowly. `gain=False` leaves out the scale that the last LayerNorm would learn, so that all
    vectors keep the same size.

    The vector of an absent row is exactly 0. A modality that no row has (L = 0) does not touch its weights, which then
    have no gradient and are not decayed. Modalities are kept in the order of their names, so that the order in which
    a configuration names them changes nothing, not even the random start.
    """

    def __init__(self, in_dims: Mapping[str, int], *, out_dim: int, gain: bool = True) -> None:
        super().__init__()
        self.names = sorted(in_dims)
        self.out_dim = out_dim
        # a list: in a ModuleDict, a modality could not be called "values" or "type"
        self.layers = nn.ModuleList(_layers(in_dims[name], out_dim, gain) for name in self.names)

    def forward(
        self, tokens: Mapping[str, Tokens], present: Mapping[str, Bool[Tensor, " B"]]
    ) -> tuple[Float[Tensor, "B K D"], Bool[Tensor, "B K"]]:
        """A vector for each of the K modalities of a row, in the order of `names`, and whether the row has it."""
        assert set(tokens) == set(self.names), f"built for {self.names}, given {sorted(tokens)}"
        vectors = [self._vector(layers, tokens[name], present[name]) for name, layers in zip(self.names, self.layers, strict=True)]
        return torch.stack(vectors, 1), torch.stack([present[name] for name in self.names], 1)

    def _vector(self, layers: nn.Module, tokens: Tokens, present: Bool[Tensor, " B"]) -> Float[Tensor, "B D"]:
        rows, length, _ = tokens.values.shape
        if length == 0:
            return tokens.values.new_zeros(rows, self.out_dim)
        return torch.where(present[:, None], layers(summarise(tokens, present)), 0.0)


def _layers(in_dim: int, out_dim: int, gain: bool) -> nn.Sequential:
    return nn.Sequential(
        nn.LayerNorm(in_dim, elementwise_affine=False) if in_dim >= NARROW else nn.Identity(),
        nn.Flatten(),
        nn.Linear(2 * in_dim, out_dim),
        nn.LayerNorm(out_dim, elementwise_affine=gain),
        nn.GELU(),
    )


def side_by_side(vectors: Float[Tensor, "B K D"], there: Bool[Tensor, "B K"]) -> Float[Tensor, "B J"]:
    """All vectors of a row, then a flag for each: J = K (D + 1)."""
    return torch.cat([vectors.flatten(1), there], 1)


def product(layers: nn.ModuleList, vectors: Float[Tensor, "B K D"], there: Bool[Tensor, "B K"]) -> Float[Tensor, "B J"]:
    """What each layer gives for its modality's vector, multiplied; the factor of an absent modality is 1."""
    factors = torch.stack([layer(vector) for layer, vector in zip(layers, vectors.unbind(1), strict=True)], 1)
    return multiplied(torch.where(there[..., None], factors, 1.0))


def multiplied(factors: Float[Tensor, "B K D"]) -> Float[Tensor, "B D"]:
    """The product over K. Unlike that of `torch.prod`, its gradient does not wait for a GPU to say whether a factor is 0."""
    return reduce(torch.mul, factors.unbind(1))


def shares(scores: Float[Tensor, "B K"], there: Bool[Tensor, "B K"]) -> Float[Tensor, "B K"]:
    """The softmax over the modalities that a row has, 0 for the others; equal shares in a row without any, of vectors that are all 0."""
    lowest = torch.finfo(scores.dtype).min  # unlike -inf, gives no NaN where a whole row is absent
    return torch.where(there, scores, lowest).softmax(1)


def at_least_single(values: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    """In single precision where autocast gave half: for exponentials, roots and comparisons."""
    return values.to(torch.promote_types(values.dtype, torch.float32))


def any_present(present: Mapping[str, Bool[Tensor, " B"]]) -> Bool[Tensor, " B"]:
    """The rows that have at least one modality."""
    return torch.stack(list(present.values())).any(0)
