"""What towers, experts and streams are made of. Normalisation is per row, never over the batch."""

from torch import nn


def layer(in_dim: int, out_dim: int, *, dropout: float) -> nn.Sequential:
    """One hidden layer: (B, in_dim) -> (B, out_dim)."""
    return nn.Sequential(nn.Linear(in_dim, out_dim), nn.LayerNorm(out_dim), nn.GELU(), nn.Dropout(dropout))


def perceptron(in_dim: int, *, hidden_dim: int, out_dim: int, dropout: float) -> nn.Sequential:
    """One hidden layer and a linear map: (B, in_dim) -> (B, out_dim)."""
    return nn.Sequential(*layer(in_dim, hidden_dim, dropout=dropout), nn.Linear(hidden_dim, out_dim))
