"""A stream of layers for each task, which learns how much to take from the others."""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from mmtrain.batch import Gate
from mmtrain.option import Count, Dropout, Fraction
from mmtrain.sharing.layer import layer


class CrossStitch(nn.Module):
    """Each task runs `layers` layers of its own; after each one, a learned matrix mixes the streams of all tasks.

    A matrix begins with `own` on its diagonal and the rest of 1 spread over the other tasks; with one task it is 1. The paper gives
    its matrices a higher learning rate than the layers; here all of sharing has one (`optimizer.lr_factor.sharing`).

    Balancing cuts at the streams before the last mixing: every task reads every stream there, and only its row of the matrix is its own.

    Source: Misra et al. 2016, Cross-stitch Networks for Multi-task Learning, equation 1, for any number of tasks; one matrix a layer for
    all of its numbers.
    """

    def __init__(
        self,
        in_dim: int,
        tasks: Sequence[str],
        *,
        out_dim: Count = 128,
        layers: Count = 2,
        own: Fraction = 0.9,
        dropout: Dropout = 0.0,
    ) -> None:
        super().__init__()
        self.tasks, self.out_dim = sorted(tasks), out_dim
        widths = [in_dim] + [out_dim] * (layers - 1)
        self.layers = nn.ModuleList(nn.ModuleList(layer(width, out_dim, dropout=dropout) for _ in self.tasks) for width in widths)
        self.stitches = nn.ParameterList(_stitch(len(self.tasks), own) for _ in widths)

    def shared(self, vector: Float[Tensor, "B D"]) -> Float[Tensor, "B T O"]:
        """The streams of all tasks, in the order of their names, up to the last mixing."""
        said = _run(self.layers[0], [vector] * len(self.tasks))
        for streams, stitch in zip(self.layers[1:], self.stitches[:-1], strict=True):
            said = _run(streams, (stitch @ said).unbind(1))
        return said

    def split(self, features: Float[Tensor, "B T O"], vector: Float[Tensor, "B D"], task: str) -> tuple[Float[Tensor, "B O"], Gate]:
        """The task's row of the last mixing: how much it takes of each stream, the same in all rows."""
        weights = self.stitches[-1][self.tasks.index(task)]
        return weights @ features, Gate(self.tasks, weights.expand(len(vector), -1))


def _run(streams: Any, given: Sequence[Float[Tensor, "B D"]]) -> Float[Tensor, "B T O"]:
    return torch.stack([stream(vector) for stream, vector in zip(streams, given, strict=True)], 1)


def _stitch(tasks: int, own: float) -> nn.Parameter:
    other = (1 - own) / max(tasks - 1, 1)
    return nn.Parameter(torch.full((tasks, tasks), other).fill_diagonal_(own if tasks > 1 else 1.0))
