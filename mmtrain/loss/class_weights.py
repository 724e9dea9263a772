"""How much a row's class counts in its loss."""

from collections.abc import Mapping
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from mmtrain.errors import ConfigError, Problem, nearest
from mmtrain.spec import TargetSpec


def class_weights(spec: TargetSpec, choice: Literal["none", "inverse"] | Mapping[str, float]) -> Float[Tensor, " C"]:
    """One weight a class: all 1 (`none`), inverse to its number of train rows and 1 on average over them (`inverse`), or as given.

    A label that a given mapping does not name weighs 1.

    Raises:
        ConfigError: a given label is none of the task's.
    """
    counts = torch.tensor(list(spec.counts.values()), dtype=torch.float32)
    if choice == "none":
        return torch.ones_like(counts)
    if choice == "inverse":
        return counts.sum() / (len(counts) * counts)
    unknown = [label for label in choice if label not in spec.counts]
    if unknown:
        where = f"tasks.{spec.name}.loss.class_weights"
        raise ConfigError(*(Problem(where, f"train has no label '{label}'", nearest(label, spec.counts)) for label in unknown))
    return torch.tensor([choice.get(label, 1.0) for label in spec.counts])
