"""Stacking: a linear map learns how to merge the views."""

from collections.abc import Mapping, Sequence
from math import prod

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from mmtrain.decision.gather import average, gather
from mmtrain.spec import TaskSpec


class Stack(nn.Module):
    """The mean of what the present views predict, and a linear map of all their predictions added to it.

    The map also sees which views are present; of the others it sees zeros. It starts at 0, so that the decision starts as the mean over
    the present views, and weight decay pulls it back there. It has (V C + V) C weights for V views and C classes: with many classes
    and few rows, prefer `weighted`.

    Gradients pass through the map into the views. Were it to learn on top of them alone, they would learn nothing without
    `model.auxiliary`, and `fused`, which has no loss of its own, never.

    Source: Wolpert 1992, section 2, with a linear map as the generalizer of level 1. We differ: it learns from the same training rows
    and at the same time as the views, not from held-out predictions, and so trusts too much a view that overfits.

    Of a task that predicts something for each word or pixel of a row, or a vector of each modality, the mean is taken as it is: the map
    would be as large as the row is long, or let one modality's vector into the other's.
    """

    def __init__(self, views: Sequence[str], spec: TaskSpec) -> None:
        super().__init__()
        self.views = sorted(views)
        self.map = _map(len(self.views), prod(spec.shape)) if spec.whole else None

    def forward(
        self,
        predictions: Mapping[str, Float[Tensor, "B ..."]],
        present: Mapping[str, Bool[Tensor, " B"]],
        prior: Float[Tensor, "..."],
    ) -> Float[Tensor, "B ..."]:
        """The task's answer for each row; `prior` where no view can speak for it."""
        values, there = gather(self.views, predictions, present)
        mean = average(values, there)
        if self.map is None:
            return torch.where(there.any(0), mean, prior)
        side_by_side = torch.cat([values.transpose(0, 1).flatten(1), there.flatten(1).T], 1)
        return torch.where(there.any(0), mean + self.map(side_by_side).reshape(mean.shape), prior)


def _map(views: int, width: int) -> nn.Linear:
    made = nn.Linear(views * (width + 1), width, bias=False)  # what says that a view is present is a bias
    nn.init.zeros_(made.weight)
    return made
