"""The fused view decides, else all present views together."""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from mmtrain.batch import FUSED
from mmtrain.decision.gather import average, gather
from mmtrain.spec import TaskSpec


class Auto(nn.Module):
    """Take the view `fused` where a model has one, else the mean over the views that can speak for the row.

    Source: Kittler et al. 1998, section 2 (sum rule for equal priors), on the heads' predictions (logits or numbers).
    """

    def __init__(self, views: Sequence[str], spec: TaskSpec) -> None:
        super().__init__()
        self.views = [FUSED] if FUSED in views else sorted(views)

    def forward(
        self,
        predictions: Mapping[str, Float[Tensor, "B ..."]],
        present: Mapping[str, Bool[Tensor, " B"]],
        prior: Float[Tensor, "..."],
    ) -> Float[Tensor, "B ..."]:
        """The task's answer for each row; `prior` where no view can speak for it."""
        values, there = gather(self.views, predictions, present)
        return torch.where(there.any(0), average(values, there), prior)
