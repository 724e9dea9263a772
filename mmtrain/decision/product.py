"""A product of experts: what the views say adds up."""

from collections.abc import Mapping, Sequence
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from mmtrain.decision.gather import average, gather
from mmtrain.spec import TaskSpec


class Product(nn.Module):
    """Multiply the probabilities of the n present views, and divide by the prior to the power of n - 1.

    It is Bayes' rule for views that are independent of each other given the class: two that are each rather sure are surer together,
    and one that knows nothing, and so predicts the prior, changes nothing. Views that say the same thing twice make it too sure.

    `prior: train` are the labels' frequencies in train, which the views of the usual losses have in them; `uniform` divides by
    nothing, and suits a loss that evens the classes out (`logit_adjusted`, class weights). Numbers are averaged: that is the
    product of Gaussians of equal variance around them.

    Source: Kittler et al. 1998, section 2 (product rule), for `train`; Hinton 2002, equation 1, for `uniform`. In logits, where
    products are sums; the softmax that follows renormalises them.
    """

    def __init__(self, views: Sequence[str], spec: TaskSpec, *, prior: Literal["train", "uniform"] = "train") -> None:
        super().__init__()
        self.views = sorted(views)
        self.numbers = spec.prediction == "numbers"
        self.prior = prior

    def forward(
        self,
        predictions: Mapping[str, Float[Tensor, "B ..."]],
        present: Mapping[str, Bool[Tensor, " B"]],
        prior: Float[Tensor, "..."],
    ) -> Float[Tensor, "B ..."]:
        """The task's answer for each row; `prior` where no view can speak for it."""
        values, there = gather(self.views, predictions, present)
        if self.numbers:
            decided = average(values, there)
        elif self.prior == "train":
            decided = values.sum(0) - (there.sum(0) - 1) * prior
        else:
            decided = values.sum(0)
        return torch.where(there.any(0), decided, prior)
