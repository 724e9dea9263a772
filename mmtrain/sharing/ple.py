"""Progressive layered extraction: several levels of common and own experts."""

from collections.abc import Sequence
from typing import Annotated, Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from mmtrain.batch import Gate
from mmtrain.option import Count, Dropout, Range
from mmtrain.sharing.experts import mixture
from mmtrain.sharing.level import Level


class PLE(nn.Module):
    """`levels` times CGC: each task has a state, and so has what is common; all begin as the fused vector.

    In every level a task's own experts and its gate read the task's state, the common experts the common one. A task's next state is
    its gate's mixture of its own and the common experts; the next common state is that of a gate over all tasks' experts and the
    common ones. One level is `CGC`.

    Balancing cuts where the tasks last read of one another: at the states before the last level and what its common experts said.
    All that the levels before learn goes through that cut; the last level's own experts and gates are the tasks' own.

    Source: Tang et al. 2020, Progressive Layered Extraction, section 4.2, equation 5; the experts as in `MMoE`.
    """

    def __init__(
        self,
        in_dim: int,
        tasks: Sequence[str],
        *,
        out_dim: Count = 128,
        levels: Annotated[int, Range(2)] = 2,
        common: Count = 2,
        own: Count = 2,
        hidden_dim: Count = 256,
        dropout: Dropout = 0.0,
    ) -> None:
        super().__init__()
        self.tasks, self.out_dim = sorted(tasks), out_dim
        widths = [in_dim] + [out_dim] * (levels - 1)
        experts = len(self.tasks) * own + common
        self.levels = nn.ModuleList(
            Level(width, len(self.tasks), own=own, common=common, hidden_dim=hidden_dim, out_dim=out_dim, dropout=dropout)
            for width in widths
        )
        self.common_gate = nn.ModuleList(nn.Linear(width, experts, bias=False) for width in widths[:-1])

    def shared(self, vector: Float[Tensor, "B D"]) -> Float[Tensor, "B S O"]:
        """The tasks' states before the last level, in the order of their names, then what the common experts of that level say."""
        level: Any
        last: Any = self.levels[-1]
        states, common = [vector] * len(self.tasks), vector
        for level, common_gate in zip(self.levels, self.common_gate, strict=False):  # the last level has no such gate
            own = [experts(state) for experts, state in zip(level.own, states, strict=True)]
            said = level.common(common)
            states = [level(mine, said, state, place)[0] for place, (mine, state) in enumerate(zip(own, states, strict=True))]
            common = mixture(common_gate(common).softmax(1), torch.cat([*own, said], 1))
        return torch.cat([torch.stack(states, 1), last.common(common)], 1)

    def split(self, features: Float[Tensor, "B S O"], vector: Float[Tensor, "B D"], task: str) -> tuple[Float[Tensor, "B O"], Gate]:
        """The last level, for one task; of gates, only its own is told."""
        last: Any = self.levels[-1]
        place = self.tasks.index(task)
        state = features[:, place]
        return last(last.own[place](state), features[:, len(self.tasks) :], state, place)
