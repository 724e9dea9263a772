"""Tokens of all modalities at one width: what every fusion of tokens does first."""

from collections.abc import Mapping

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from mmtrain.batch import Tokens
from mmtrain.fusion.pool import NARROW
from mmtrain.transformer import positions


class Project(nn.Module):
    """Normalise the tokens of each modality, map them to `dim` numbers, and add where they stand and which modality they are of.

    Masked tokens, and those of absent rows, are exactly 0 with a false mask. A modality that no row has does not touch its weights.
    Modalities are kept in the order of their names.
    """

    def __init__(self, in_dims: Mapping[str, int], *, dim: int) -> None:
        super().__init__()
        self.names = sorted(in_dims)
        self.dim = dim
        self.layers = nn.ModuleList(
            nn.Sequential(
                nn.LayerNorm(in_dims[name], elementwise_affine=False) if in_dims[name] >= NARROW else nn.Identity(),
                nn.Linear(in_dims[name], dim),  # its bias tells the modality
            )
            for name in self.names
        )

    def forward(self, tokens: Mapping[str, Tokens], present: Mapping[str, Bool[Tensor, " B"]]) -> dict[str, Tokens]:
        """Tokens of one width under the same names, in the order of `names`."""
        assert set(tokens) == set(self.names), f"built for {self.names}, given {sorted(tokens)}"
        return {name: self._project(layers, tokens[name], present[name]) for name, layers in zip(self.names, self.layers, strict=True)}

    def _project(self, layers: nn.Module, tokens: Tokens, present: Bool[Tensor, " B"]) -> Tokens:
        rows, length, _ = tokens.values.shape
        mask = tokens.mask & present[:, None]
        if length == 0:
            return Tokens(tokens.values.new_zeros(rows, 0, self.dim), mask)
        values = layers(torch.where(mask[..., None], tokens.values, 0.0))
        values = values + positions(length, self.dim, values.device).to(values.dtype)
        return Tokens(torch.where(mask[..., None], values, 0.0), mask)


def in_one_row(tokens: Mapping[str, Tokens]) -> tuple[Float[Tensor, "B L D"], Bool[Tensor, "B L"]]:
    """All tokens of a row in one sequence, in the order in which the modalities are named."""
    return torch.cat([part.values for part in tokens.values()], 1), torch.cat([part.mask for part in tokens.values()], 1)
