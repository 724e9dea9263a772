"""Several perceptrons that read the same, and their mixture."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from mmtrain.sharing.layer import perceptron


class Experts(nn.Module):
    """`count` perceptrons side by side."""

    def __init__(self, in_dim: int, count: int, *, hidden_dim: int, out_dim: int, dropout: float) -> None:
        super().__init__()
        self.experts = nn.ModuleList(perceptron(in_dim, hidden_dim=hidden_dim, out_dim=out_dim, dropout=dropout) for _ in range(count))

    def forward(self, vector: Float[Tensor, "B D"]) -> Float[Tensor, "B N O"]:
        """What each of them says."""
        return torch.stack([expert(vector) for expert in self.experts], 1)


def mixture(weights: Float[Tensor, "B N"], said: Float[Tensor, "B N D"]) -> Float[Tensor, "B D"]:
    """The weighted sum of what N experts said."""
    return (weights[..., None] * said).sum(1)


def numbered(word: str, count: int) -> list[str]:
    """Names for the curves: `expert_1`, `expert_2`, ..."""
    return [f"{word}_{number}" for number in range(1, count + 1)]
