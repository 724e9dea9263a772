"""Common experts, each task's own, and the tasks' gates over both: all of CGC, one level of PLE."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from mmtrain.batch import Gate
from mmtrain.sharing.experts import Experts, mixture, numbered


class Level(nn.Module):
    """For `tasks` tasks, each by its place: `own` experts each, and `common` ones of all.

    `names` are those of the experts that a task's gate weighs, its own first.
    """

    def __init__(self, in_dim: int, tasks: int, *, own: int, common: int, hidden_dim: int, out_dim: int, dropout: float) -> None:
        super().__init__()
        self.names = [*numbered("own", own), *numbered("common", common)]
        self.own = nn.ModuleList(Experts(in_dim, own, hidden_dim=hidden_dim, out_dim=out_dim, dropout=dropout) for _ in range(tasks))
        self.common = Experts(in_dim, common, hidden_dim=hidden_dim, out_dim=out_dim, dropout=dropout)
        self.gate = nn.ModuleList(nn.Linear(in_dim, own + common, bias=False) for _ in range(tasks))

    def forward(
        self, own: Float[Tensor, "B M O"], common: Float[Tensor, "B C O"], vector: Float[Tensor, "B D"], place: int
    ) -> tuple[Float[Tensor, "B O"], Gate]:
        """What a task's own experts and the common ones said, in the mixture of the task's gate on `vector`."""
        weights = self.gate[place](vector).softmax(1)
        return mixture(weights, torch.cat([own, common], 1)), Gate(self.names, weights)
