"""All present views together, each counting the same."""

from collections.abc import Mapping, Sequence
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn.functional import logsigmoid

from mmtrain.decision.gather import average, gather
from mmtrain.spec import TaskSpec


class Mean(nn.Module):
    """Average what the present views predict: all of them, `fused` too where it stands among them.

    Of logits, the mean is the normalised geometric mean of the probabilities, in which one sure view can overrule the others; of
    probabilities, it is a vote that no view can win by shouting. Numbers are averaged as they are, whatever `of` says.

    Source: Kittler et al. 1998, section 2 (sum rule for equal priors), which is `of: probabilities`.
    """

    def __init__(self, views: Sequence[str], spec: TaskSpec, *, of: Literal["logits", "probabilities"] = "logits") -> None:
        super().__init__()
        self.views = sorted(views)
        self.space = spec.prediction if of == "probabilities" else "numbers"

    def forward(
        self,
        predictions: Mapping[str, Float[Tensor, "B ..."]],
        present: Mapping[str, Bool[Tensor, " B"]],
        prior: Float[Tensor, "..."],
    ) -> Float[Tensor, "B ..."]:
        """The task's answer for each row; `prior` where no view can speak for it."""
        values, there = gather(self.views, predictions, present)
        if self.space == "classes":
            mean = _log_mean(values.log_softmax(-1), there)
        elif self.space == "binary":
            mean = _log_mean(logsigmoid(values), there) - _log_mean(logsigmoid(-values), there)
        else:
            mean = average(values, there)
        return torch.where(there.any(0), mean, prior)


def _log_mean(logarithms: Float[Tensor, "V B ..."], there: Bool[Tensor, "V B ..."]) -> Float[Tensor, "B ..."]:
    """The logarithm of the mean over the present views of what these are the logarithms of."""
    lowest = torch.finfo(logarithms.dtype).min  # unlike -inf, gives no NaN where a whole row is absent
    return torch.where(there, logarithms, lowest).logsumexp(0) - there.sum(0).clamp(min=1).to(logarithms.dtype).log()
