"""Multi-gate mixture of experts."""

from collections.abc import Sequence
from typing import Annotated

from jaxtyping import Float
from torch import Tensor, nn

from mmtrain.batch import Gate
from mmtrain.option import Count, Dropout, Range
from mmtrain.sharing.experts import Experts, mixture, numbered


class MMoE(nn.Module):
    """All tasks share `experts` perceptrons on the fused vector; each task mixes them by a softmax gate of its own on that vector.

    Balancing cuts at what the experts said; a task's gate counts as the task's own. The towers are the tasks' heads.

    Source: Ma et al. 2018, Modeling Task Relationships in Multi-task Learning with Multi-gate Mixture-of-Experts, equations 6 and 7;
    the experts have one hidden layer with LayerNorm and GELU, and a linear map.
    """

    def __init__(
        self,
        in_dim: int,
        tasks: Sequence[str],
        *,
        out_dim: Count = 128,
        experts: Annotated[int, Range(2)] = 4,
        hidden_dim: Count = 256,
        dropout: Dropout = 0.0,
    ) -> None:
        super().__init__()
        self.tasks, self.out_dim = sorted(tasks), out_dim
        self.names = numbered("expert", experts)
        self.experts = Experts(in_dim, experts, hidden_dim=hidden_dim, out_dim=out_dim, dropout=dropout)
        self.gate = nn.ModuleList(nn.Linear(in_dim, experts, bias=False) for _ in self.tasks)

    def shared(self, vector: Float[Tensor, "B D"]) -> Float[Tensor, "B N O"]:
        """What the experts say."""
        return self.experts(vector)

    def split(self, features: Float[Tensor, "B N O"], vector: Float[Tensor, "B D"], task: str) -> tuple[Float[Tensor, "B O"], Gate]:
        """The experts in the mixture of the task's gate."""
        weights = self.gate[self.tasks.index(task)](vector).softmax(1)
        return mixture(weights, features), Gate(self.names, weights)
