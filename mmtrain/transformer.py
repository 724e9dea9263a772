"""Transformer layers over tokens with a mask, for encoders and fusions alike.

torch's own `nn.MultiheadAttention` and `nn.TransformerEncoder` answer NaN in a row whose tokens are all masked; here such a row is 0.
"""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from mmtrain.errors import ConfigError, Problem


class Attention(nn.Module):
    """Multi-head attention of tokens to the unmasked ones among `others`, from D numbers to D numbers.

    Source: Vaswani et al. 2017, section 3.2.

    Raises:
        ConfigError: `heads` does not divide `dim`.
    """

    def __init__(self, dim: int, *, heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        if dim % heads:
            raise ConfigError(Problem("heads", f"{heads} heads do not share {dim} numbers evenly", "choose a divisor of the width"))
        self.heads, self.dropout = heads, dropout
        self.query = nn.Linear(dim, dim)
        self.key_value = nn.Linear(dim, 2 * dim)
        self.output = nn.Linear(dim, dim)

    def forward(
        self, values: Float[Tensor, "B L D"], others: Float[Tensor, "B M D"], mask: Bool[Tensor, "B M"] | None = None
    ) -> Float[Tensor, "B L D"]:
        """`mask` says which of the M tokens may be looked at, None that all may. A row without any gets 0."""
        if others.shape[1] == 0:
            return torch.zeros_like(values)
        return self.look(values, *self.keys(others), mask)

    def keys(self, others: Float[Tensor, "B M D"]) -> tuple[Float[Tensor, "B H M W"], Float[Tensor, "B H M W"]]:
        """What the others are found by and what they say: both can be kept for tokens that are still to come."""
        key, value = self.key_value(others).chunk(2, -1)
        return self._split(key), self._split(value)

    def look(
        self,
        values: Float[Tensor, "B L D"],
        key: Float[Tensor, "B H M W"],
        value: Float[Tensor, "B H M W"],
        mask: Bool[Tensor, "B M"] | None = None,
        *,
        causal: bool = False,
    ) -> Float[Tensor, "B L D"]:
        """As `forward`, by what `keys` gave of M > 0 tokens. `causal`: of L tokens that look at each other, each sees none behind it."""
        query = self._split(self.query(values))
        allowed = None
        if mask is not None:
            anyone = mask.any(1)
            # A softmax over nothing is NaN: such a row looks at everything, and what comes of it is replaced by 0.
            allowed = (mask | ~anyone[:, None])[:, None, None, :]
        dropout = self.dropout if self.training else 0.0
        seen = functional.scaled_dot_product_attention(query, key, value, attn_mask=allowed, dropout_p=dropout, is_causal=causal)
        found = self.output(seen.transpose(1, 2).flatten(2))
        return found if mask is None else torch.where(anyone[:, None, None], found, 0)

    def _split(self, values: Float[Tensor, "B L D"]) -> Float[Tensor, "B H L W"]:
        return values.unflatten(2, (self.heads, -1)).transpose(1, 2)


class CrossLayer(nn.Module):
    """Attention to other tokens and a perceptron of `expansion` times the width, each added to what it read, normalised before."""

    def __init__(self, dim: int, *, heads: int, expansion: int = 4, dropout: float = 0.0) -> None:
        super().__init__()
        self.before_attention, self.before_perceptron, self.others = nn.LayerNorm(dim), nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.attention = Attention(dim, heads=heads, dropout=dropout)
        self.perceptron = perceptron(dim, expansion)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self, values: Float[Tensor, "B L D"], others: Float[Tensor, "B M D"], mask: Bool[Tensor, "B M"] | None = None
    ) -> Float[Tensor, "B L D"]:
        """The same tokens, each having looked at the unmasked ones among `others`; masked ones have to be finite."""
        seen = self.attention(self.before_attention(values), self.others(others), mask)
        values = values + self.dropout(seen)
        return values + self.dropout(self.perceptron(self.before_perceptron(values)))


class Layer(nn.Module):
    """Self-attention and a perceptron of `expansion` times the width, each added to what it read, normalised before (pre-norm)."""

    def __init__(self, dim: int, *, heads: int, expansion: int, dropout: float) -> None:
        super().__init__()
        self.before_attention, self.before_perceptron = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.attention = Attention(dim, heads=heads, dropout=dropout)
        self.perceptron = perceptron(dim, expansion)
        self.dropout = nn.Dropout(dropout)

    def forward(self, values: Float[Tensor, "B L D"], mask: Bool[Tensor, "B L"] | None) -> Float[Tensor, "B L D"]:
        """The same tokens, each having looked at all unmasked ones; masked ones have to be finite."""
        read = self.before_attention(values)
        values = values + self.dropout(self.attention(read, read, mask))
        return values + self.dropout(self.perceptron(self.before_perceptron(values)))


class Transformer(nn.Module):
    """`layers` layers of self-attention, pre-norm, and a last LayerNorm.

    What stands in a masked place, finite or not, changes no unmasked one; masked places are 0 in the result. `stages` are the layers
    from input to output, for learning rates that decay with depth.

    Source: Vaswani et al. 2017, section 3; normalised before each part as in Xiong et al. 2020, section 3.
    """

    def __init__(self, dim: int, *, layers: int, heads: int, expansion: int = 4, dropout: float = 0.0) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Layer(dim, heads=heads, expansion=expansion, dropout=dropout) for _ in range(layers))
        self.normalisation = nn.LayerNorm(dim)

    @property
    def stages(self) -> list[nn.Module]:
        """The layers, from input to output."""
        return list(self.layers)

    def forward(self, values: Float[Tensor, "B L D"], mask: Bool[Tensor, "B L"] | None = None) -> Float[Tensor, "B L D"]:
        """Tokens in, tokens out; `mask` None means that every place counts, which is faster."""
        if mask is not None:
            values = torch.where(mask[:, :, None], values, 0)
        for layer in self.layers:
            values = layer(values, mask)
        values = self.normalisation(values)
        return values if mask is None else torch.where(mask[:, :, None], values, 0)


def perceptron(dim: int, expansion: int) -> nn.Sequential:
    """One hidden layer of `expansion` times the width, for each token by itself."""
    return nn.Sequential(nn.Linear(dim, expansion * dim), nn.GELU(), nn.Linear(expansion * dim, dim))


def positions(length: int, dim: int, device: torch.device) -> Float[Tensor, "L D"]:
    """Where a token stands, as sines and cosines of geometrically spaced frequencies; defined for any length.

    Source: Vaswani et al. 2017, section 3.5; all sines come before all cosines.
    """
    half = (dim + 1) // 2
    frequencies = torch.exp(torch.arange(half, device=device) * (-math.log(10000.0) / max(half - 1, 1)))
    angles = torch.arange(length, device=device)[:, None] * frequencies
    return torch.cat([angles.sin(), angles.cos()], 1)[:, :dim]
