"""Customized gate control: common experts and a task's own."""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

from mmtrain.batch import Gate
from mmtrain.option import Count, Dropout
from mmtrain.sharing.level import Level


class CGC(nn.Module):
    """Each task mixes `common` experts of all tasks and `own` experts of its own, by a softmax gate on the fused vector.

    Balancing cuts at what the common experts said; a task's own experts and its gate, which read the vector itself, are the task's
    own. The towers are the tasks' heads.

    Source: Tang et al. 2020, Progressive Layered Extraction, section 4.1, equations 1 to 3; the experts as in `MMoE`.
    """

    def __init__(
        self,
        in_dim: int,
        tasks: Sequence[str],
        *,
        out_dim: Count = 128,
        common: Count = 2,
        own: Count = 2,
        hidden_dim: Count = 256,
        dropout: Dropout = 0.0,
    ) -> None:
        super().__init__()
        self.tasks, self.out_dim = sorted(tasks), out_dim
        self.level = Level(in_dim, len(self.tasks), own=own, common=common, hidden_dim=hidden_dim, out_dim=out_dim, dropout=dropout)

    def shared(self, vector: Float[Tensor, "B D"]) -> Float[Tensor, "B C O"]:
        """What the common experts say."""
        return self.level.common(vector)

    def split(self, features: Float[Tensor, "B C O"], vector: Float[Tensor, "B D"], task: str) -> tuple[Float[Tensor, "B O"], Gate]:
        """Own and common experts in the mixture of the task's gate."""
        place = self.tasks.index(task)
        return self.level(self.level.own[place](vector), features, vector, place)
