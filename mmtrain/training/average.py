"""Averaged weights: what is evaluated and kept, beside those that are trained."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

WARM_UP = 10  # after so many steps the average begins to remember as long as it was told to


class Average:
    """An exponential moving average of a model's weights and buffers; a decay of 0 keeps none, and the model's own are evaluated.

    After step t the average keeps min(decay, (1 + t) / (10 + t)) of itself, so that it forgets the random start quickly.

    Source: Polyak and Juditsky 1992 for averaging; the exponential form and its warm-up as in TensorFlow's ExponentialMovingAverage.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.weights = _weights(model) if decay > 0 else {}
        self.values = {name: value.clone() for name, value in self.weights.items()}

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Move towards the model's weights; `step` counts the optimizer's steps, from 1."""
        if not self.values:
            return
        share = 1 - min(self.decay, (1 + step) / (WARM_UP + step))
        torch._foreach_lerp_(list(self.values.values()), list(self.weights.values()), share)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The model has the averaged weights while the block runs."""
        trained = {name: value.clone() for name, value in self.weights.items()}
        _copy(self.weights, self.values)
        try:
            yield
        finally:
            _copy(self.weights, trained)

    def state_dict(self) -> dict[str, Tensor]:
        """The averaged weights."""
        return self.values

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go on where `state_dict` was taken."""
        _copy(self.values, state)


def _weights(model: nn.Module) -> dict[str, Tensor]:
    """Everything in the state dict that can be averaged: the floating-point tensors themselves, detached; infinity has no average."""
    return {name: value for name, value in model.state_dict().items() if value.is_floating_point() and value.isfinite().all()}


@torch.no_grad()
def _copy(into: Mapping[str, Tensor], values: Mapping[str, Tensor]) -> None:
    for name, value in into.items():
        value.copy_(values[name])
