"""The fused view decides, else all present views together."""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from mmtrain.batch import FUSED
from mmtrain.spec import TaskSpec


class Auto(nn.Module):
    """Take the view `fused` where a model has one, else the mean over the views that can speak for the row.

    Source: Kittler et al. 1998, section 3.4 (sum rule), on the heads' predictions (logits or numbers).
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
        values = torch.stack([predictions[view] for view in self.views])
        there = torch.stack([present[view] for view in self.views])
        there = there.reshape(*there.shape, *[1] * (values.ndim - 2))
        counts = there.sum(0)
        # chosen, never multiplied: a view that cannot speak for a row may hold anything there
        mean = torch.where(there, values, 0.0).sum(0) / counts.clamp(min=1)
        return torch.where(counts > 0, mean, prior)
