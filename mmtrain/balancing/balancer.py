"""What the training loop asks of every balancer."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from jaxtyping import Float, Shaped
from torch import Tensor, nn

Weights = dict[str, Float[Tensor, ""] | float | None]


class Balancer(nn.Module, ABC):
    """Turns the losses of the tasks into gradients. `notes` are sentences for the log, said once before training.

    `looks_ahead`: its weights follow from the losses of the whole batch, so that it asks for `look_ahead`.
    `measures`: it asks for `measure` in `after_step`. Each costs another forward pass.
    """

    looks_ahead: ClassVar[bool] = False
    measures: ClassVar[bool] = False
    notes: list[str]

    def look_ahead(self, losses: Mapping[str, Float[Tensor, ""]]) -> None:
        """Called where it `looks_ahead` and a batch comes in several parts, before the first, with what their losses add up to."""

    @abstractmethod
    def backward(
        self,
        losses: Mapping[str, Float[Tensor, ""]],
        *,
        boundary: Sequence[Shaped[Tensor, "..."]],
        parameters: Sequence[nn.Parameter],
        penalty: Float[Tensor, ""] | None = None,
        scale: Float[Tensor, ""] | float = 1.0,
    ) -> Weights:
        """Add to `.grad` and return the weight that each task received (None from a method without weights)."""

    def before_step(self) -> Weights:
        """Complete `.grad` once the whole batch has gone backward, before gradients are unscaled and clipped.

        For methods that need all of the batch; returns the weights that they know only now.
        """
        return {}

    @abstractmethod
    def after_step(self, measure: Callable[[], Mapping[str, Float[Tensor, ""]]] | None = None) -> None:
        """Called after the optimizer's step, or after it was skipped because fp16 gradients overflowed.

        `measure` gives the losses of the whole batch anew, for methods that look at what the step has changed; None to all others.
        """

    @abstractmethod
    def epoch_end(self, losses: Mapping[str, float]) -> None:
        """Called with the mean training loss of each task over the epoch, for methods that weigh by progress."""

    def diagnostics(self) -> dict[str, float]:
        """Numbers about the last batch for the curves, by name, from methods that have some. May wait for the device."""
        return {}
