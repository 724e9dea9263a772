"""The fused view decides, else all present views together."""

from collections.abc import Mapping

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from mmtrain.batch import FUSED


class Auto(nn.Module):
    """Take the view `fused` where a model has one, else the mean over the views that can speak for the row.

    Source: Kittler et al. 1998, section 3.4 (sum rule), on the heads' predictions (logits or numbers).
    """

    def forward(
        self,
        predictions: Mapping[str, Float[Tensor, "B ..."]],
        present: Mapping[str, Bool[Tensor, " B"]],
        prior: Float[Tensor, "..."],
    ) -> Float[Tensor, "B ..."]:
        """The task's answer for each row; `prior` where no view can speak for it."""
        views = [FUSED] if FUSED in predictions else sorted(predictions)
        values = torch.stack([predictions[view] for view in views])
        there = torch.stack([present[view] for view in views])
        there = there.reshape(*there.shape, *[1] * (values.ndim - 2))
        counts = there.sum(0)
        # chosen, never multiplied: a view that cannot speak for a row may hold anything there
        mean = torch.where(there, values, 0.0).sum(0) / counts.clamp(min=1)
        return torch.where(counts > 0, mean, prior)
