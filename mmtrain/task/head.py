"""The heads: a vector in, a prediction out. Normalisation is per row, never over the batch."""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

from mmtrain.batch import Fused


class ClassHead(nn.Module):
    """Layers of the sizes `hidden`, then one logit a class: (B, C). Dropout falls on what each layer reads."""

    def __init__(self, in_dim: int, out_dim: int, *, hidden: Sequence[int], dropout: float) -> None:
        super().__init__()
        sizes = [in_dim, *hidden]
        layers = [
            layer
            for size, next_size in zip(sizes[:-1], sizes[1:], strict=True)
            for layer in (nn.Dropout(dropout), nn.Linear(size, next_size), nn.LayerNorm(next_size), nn.GELU())
        ]
        self.layers = nn.Sequential(*layers, nn.Dropout(dropout), nn.Linear(sizes[-1], out_dim))

    def forward(self, vector: Float[Tensor, "B D"], fused: Fused) -> Float[Tensor, "B C"]:
        """Predict from the vector alone."""
        return self.layers(vector)


class NumberHead(nn.Module):
    """As `ClassHead`, with one number a row: (B,)."""

    def __init__(self, in_dim: int, *, hidden: Sequence[int], dropout: float) -> None:
        super().__init__()
        self.head = ClassHead(in_dim, 1, hidden=hidden, dropout=dropout)

    def forward(self, vector: Float[Tensor, "B D"], fused: Fused) -> Float[Tensor, " B"]:
        """Predict from the vector alone."""
        return self.head(vector, fused).squeeze(1)


def sizes(hidden: int | Sequence[int]) -> list[int]:
    """Sizes of the hidden layers: those listed, or one of this size; 0 is none."""
    if isinstance(hidden, int):
        return [hidden] if hidden > 0 else []
    return list(hidden)
