"""Soft sharing at its least: a tower for each task."""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

from mmtrain.batch import Gate
from mmtrain.option import Count, Dropout
from mmtrain.sharing.layer import perceptron


class Separate(nn.Module):
    """Give each task a perceptron of its own on the fused vector: behind the fusion, nothing is shared.

    Encoders and fusion stay shared; for nothing shared at all, train each task in a run of its own. Balancing cuts at the fused vector.

    Source: Caruana 1997, Multitask Learning, section 2, with the split one perceptron earlier than at the heads.
    """

    def __init__(self, in_dim: int, tasks: Sequence[str], *, out_dim: Count = 128, hidden_dim: Count = 256, dropout: Dropout = 0.0) -> None:
        super().__init__()
        self.tasks, self.out_dim = sorted(tasks), out_dim
        self.towers = nn.ModuleList(perceptron(in_dim, hidden_dim=hidden_dim, out_dim=out_dim, dropout=dropout) for _ in self.tasks)

    def shared(self, vector: Float[Tensor, "B D"]) -> Float[Tensor, "B D"]:
        """The vector itself."""
        return vector

    def split(self, features: Float[Tensor, "B D"], vector: Float[Tensor, "B D"], task: str) -> tuple[Float[Tensor, "B O"], Gate | None]:
        """The task's tower; it has no gate."""
        return self.towers[self.tasks.index(task)](features), None
