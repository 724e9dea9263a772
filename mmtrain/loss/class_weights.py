"""How much a row's class counts in its loss."""

import math
from collections.abc import Mapping
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from mmtrain.errors import ConfigError, Problem, nearest
from mmtrain.spec import TargetSpec


def class_weights(
    spec: TargetSpec, choice: Literal["none", "inverse", "effective"] | Mapping[str, float], beta: float
) -> Float[Tensor, " C"]:
    """One weight a class, 1 on average over the train rows unless they are given: all 1 (`none`), inverse to the class's number of
    train rows (`inverse`), inverse to its effective number of rows (`effective`), or as given.

    The effective number of n rows is (1 - beta**n) / (1 - beta): new rows add less and less to a class that has many. beta = 0 is
    `none`, and towards 1 it becomes `inverse`. A label that a given mapping does not name weighs 1.
    Source: Cui et al. 2019, equation 2; they make the weights sum to the number of classes.

    Raises:
        ConfigError: a given label is none of the task's.
    """
    counts = torch.tensor(list(spec.counts.values()), dtype=torch.float64)
    if choice == "none":
        return torch.ones_like(counts).float()
    if choice == "inverse":
        return _one_on_average(1 / counts, counts)
    if choice == "effective":
        return _one_on_average(-1 / torch.expm1(counts * math.log(beta)) if beta > 0 else torch.ones_like(counts), counts)
    unknown = [label for label in choice if label not in spec.counts]
    if unknown:
        where = f"tasks.{spec.name}.loss.class_weights"
        raise ConfigError(*(Problem(where, f"train has no label '{label}'", nearest(label, spec.counts)) for label in unknown))
    return torch.tensor([choice.get(label, 1.0) for label in spec.counts])


def _one_on_average(weights: Float[Tensor, " C"], counts: Float[Tensor, " C"]) -> Float[Tensor, " C"]:
    return (weights * counts.sum() / (weights * counts).sum()).float()
