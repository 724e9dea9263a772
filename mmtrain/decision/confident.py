"""The view that is surest of the row decides it alone."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from mmtrain.decision.gather import average, gather
from mmtrain.spec import TaskSpec


class Confident(nn.Module):
    """For each row take the prediction of the present view whose most probable class is the most probable; of equals, the first by name.

    Only that view gets a gradient from the row, so that those which start badly may stay so: give each a loss of its own with
    `model.auxiliary`. How sure a view is says little unless all are about as well calibrated; one that overfits is surer than it should be.

    Numbers come without a probability: their views are averaged.

    Source: Kittler et al. 1998, section 3 (max rule), of which we take the whole prediction of the view that has the maximum.
    """

    probabilities: ClassVar[bool] = True

    def __init__(self, views: Sequence[str], spec: TaskSpec) -> None:
        super().__init__()
        self.views = sorted(views)
        self.prediction = spec.prediction

    def forward(
        self,
        predictions: Mapping[str, Float[Tensor, "B ..."]],
        present: Mapping[str, Bool[Tensor, " B"]],
        prior: Float[Tensor, "..."],
    ) -> Float[Tensor, "B ..."]:
        """The task's answer for each row; `prior` where no view can speak for it."""
        values, there = gather(self.views, predictions, present)
        decided = average(values, there) if self.prediction == "numbers" else self._surest(values, there)
        return torch.where(there.any(0), decided, prior)

    def _surest(self, values: Float[Tensor, "V B ..."], there: Bool[Tensor, "V B ..."]) -> Float[Tensor, "B ..."]:
        sureness = values.detach().abs() if self.prediction == "binary" else _log_odds(values.detach())
        first = torch.where(there, sureness, torch.finfo(values.dtype).min).max(0, keepdim=True).indices
        places = torch.arange(len(values), device=values.device).reshape(-1, *[1] * (values.ndim - 1))
        return torch.where(places == first, values, 0.0).sum(0)


def _log_odds(values: Float[Tensor, "V B C"]) -> Float[Tensor, "V B 1"]:
    """Log odds of the most probable class. They order views as its probability does, which in float32 is 1 for all that are very sure."""
    highest, place = values.max(-1, keepdim=True)
    others = values.scatter(-1, place, torch.finfo(values.dtype).min)
    return highest - others.logsumexp(-1, keepdim=True)
