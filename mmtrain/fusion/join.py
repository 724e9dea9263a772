"""The layers after the join: without a hidden layer there, no fusion could learn what only two modalities tell together."""

from torch import nn


def join_layers(in_dim: int, *, hidden_dim: int, out_dim: int, dropout: float) -> nn.Sequential:
    """A perceptron with one hidden layer, normalised per row: (B, in_dim) -> (B, out_dim)."""
    return nn.Sequential(
        nn.Linear(in_dim, hidden_dim),
        nn.LayerNorm(hidden_dim),
        nn.GELU(),
        nn.Dropout(dropout),
        nn.Linear(hidden_dim, out_dim),
    )
