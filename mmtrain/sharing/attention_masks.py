"""Shared layers, of which each task picks its features by soft masks."""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from mmtrain.batch import Gate
from mmtrain.option import Count, Dropout
from mmtrain.sharing.layer import layer


class AttentionMasks(nn.Module):
    """`layers` blocks of two layers that all tasks share; behind each block, a mask a task, between 0 and 1, number by number.

    In block j, u and p are what its two layers give. The mask of a task is a small network of u and of what the task picked in the block
    before, brought on by a layer that all tasks share; what the task picks is mask times p. The last block's pick is the task's.

    Balancing cuts at the u and p of all blocks, which is all that the masks read; the masks, and the layers between them, lie behind it.

    Source: Liu et al. 2019, End-to-End Multi-Task Learning with Attention, section 3.2, equations 1 and 2, its encoder half; linear maps in
    place of convolutions, LayerNorm in place of batch normalisation, none before the sigmoid, GELU in place of ReLU.
    """

    def __init__(self, in_dim: int, tasks: Sequence[str], *, out_dim: Count = 128, layers: Count = 2, dropout: Dropout = 0.0) -> None:
        super().__init__()
        self.tasks, self.out_dim = sorted(tasks), out_dim
        self.names = [f"layer_{number}" for number in range(1, layers + 1)]
        widths = [in_dim] + [out_dim] * (layers - 1)
        self.first = nn.ModuleList(layer(width, out_dim, dropout=dropout) for width in widths)
        self.second = nn.ModuleList(layer(out_dim, out_dim, dropout=dropout) for _ in widths)
        self.between = nn.ModuleList(layer(out_dim, out_dim, dropout=dropout) for _ in widths[1:])
        self.masks = nn.ModuleList(
            nn.ModuleList(_mask(out_dim if block == 0 else 2 * out_dim, out_dim) for block in range(layers)) for _ in self.tasks
        )

    def shared(self, vector: Float[Tensor, "B D"]) -> Float[Tensor, "B S O"]:
        """u and p of the first block, then of the second, and so on."""
        found = []
        for first, second in zip(self.first, self.second, strict=True):
            middle = first(vector)
            vector = second(middle)
            found += [middle, vector]
        return torch.stack(found, 1)

    def split(self, features: Float[Tensor, "B S O"], vector: Float[Tensor, "B D"], task: str) -> tuple[Float[Tensor, "B O"], Gate]:
        """What the task picks in the last block; the gate tells the mean of each block's mask, how much of it passes."""
        masks: Any = self.masks[self.tasks.index(task)]
        middle, last, *later = features.unbind(1)
        mask = masks[0](middle)
        picked, passed = mask * last, [mask.mean(1)]
        for block, between in enumerate(self.between):
            mask = masks[block + 1](torch.cat([later[2 * block], between(picked)], 1))
            picked = mask * later[2 * block + 1]
            passed.append(mask.mean(1))
        return picked, Gate(self.names, torch.stack(passed, 1))


def _mask(in_dim: int, out_dim: int) -> nn.Sequential:
    return nn.Sequential(*layer(in_dim, out_dim, dropout=0.0)[:3], nn.Linear(out_dim, out_dim), nn.Sigmoid())
