"""The loss that a task was given, built and checked."""

from typing import Any

from torch import Tensor, nn

from mmtrain.errors import ConfigError, Problem
from mmtrain.option import Part
from mmtrain.spec import TargetSpec

FIRST_CHOICE = {
    "classes": "cross_entropy",
    "numbers": "absolute",
    "counts": "poisson",
    "quantiles": "pinball",
    "sets": "binary_cross_entropy",
}


def build_loss(part: Part, spec: TargetSpec, targets: str) -> nn.Module:
    """Hand the facts to the loss.

    Raises:
        ConfigError: it is no loss for such targets (the keys of `FIRST_CHOICE`), or one of its options does not go with them.
    """
    loss: Any = part(spec)
    if loss.targets != targets:
        where, name = f"tasks.{spec.name}.loss", type(loss).__name__
        found = f"'{name}' is a loss for {loss.targets}, and this task predicts {targets}"
        fix = f"choose a loss for {targets}, such as loss@{where}={FIRST_CHOICE[targets]}; mmtrain list loss names them all"
        raise ConfigError(Problem(where, found, fix))
    return loss


def first_prediction(prior: Tensor, loss: nn.Module) -> Tensor:
    """What a head of classes predicts before it has learned anything, (C,): the logits that become the prior (C,) with what the
    loss itself adds to them."""
    offset = getattr(loss, "offset", None)
    return prior if offset is None else prior - offset
