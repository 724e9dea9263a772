"""All present views together, each with a weight of its own."""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from mmtrain.decision.gather import gather
from mmtrain.errors import ConfigError, Problem, nearest
from mmtrain.option import Positive
from mmtrain.spec import TaskSpec


class Weighted(nn.Module):
    """Average what the views predict (logits or numbers) with one weight each, the same for all rows.

    The weights of the views that can speak for a row always sum to 1: shares of the absent ones go to the present ones, in
    proportion. Learned as the softmax of one free number a view, for each task apart and from equal shares on, unless `weights` fixes
    them for all tasks: `{image: 2.0}` counts the image twice as much as any view that is not named there (weight 1); a view of next to
    no weight (1e-6) answers only where no other can.

    Source: Kittler et al. 1998, section 2 (sum rule for equal priors), with weights, on the heads' predictions.

    Raises:
        ConfigError: `weights` names something that is no view.
    """

    def __init__(self, views: Sequence[str], spec: TaskSpec, *, weights: dict[str, Positive] | None = None) -> None:
        super().__init__()
        self.views = sorted(views)
        if weights is None:
            self.logits: Tensor = nn.Parameter(torch.zeros(len(self.views)))
        else:
            _check_names(weights, views)
            # the softmax of logarithms are the weights themselves, normalised; the configuration keeps them, not the checkpoint
            fixed = torch.tensor([weights.get(view, 1.0) for view in self.views]).log()
            self.register_buffer("logits", fixed, persistent=False)

    def forward(
        self,
        predictions: Mapping[str, Float[Tensor, "B ..."]],
        present: Mapping[str, Bool[Tensor, " B"]],
        prior: Float[Tensor, "..."],
    ) -> Float[Tensor, "B ..."]:
        """The task's answer for each row; `prior` where no view can speak for it."""
        values, there = gather(self.views, predictions, present)
        scores = self.logits.reshape(-1, *[1] * (values.ndim - 1))
        lowest = torch.finfo(scores.dtype).min  # unlike -inf, gives no NaN where a whole row is absent
        weights = torch.where(there, scores, lowest).softmax(0)
        return torch.where(there.any(0), (weights * values).sum(0), prior)


def _check_names(weights: Mapping[str, float], views: Sequence[str]) -> None:
    unknown = sorted(set(weights) - set(views))
    if unknown:
        raise ConfigError(*(Problem("weights", f"'{name}' is no view", nearest(name, views)) for name in unknown))
