"""What every modality is held against: all the others."""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from mmtrain.batch import FUSED
from mmtrain.modality_balance.method import Pass, Present
from mmtrain.spec import TaskSpec


def only(present: Present, names: Sequence[str]) -> Present:
    """The presence of these modalities; all others are absent."""
    return {name: there if name in names else torch.zeros_like(there) for name, there in present.items()}


def comparable_tasks(tasks: Mapping[str, TaskSpec]) -> list[str]:
    """The tasks by which modalities can be held against each other: any modality may answer them."""
    return sorted(name for name, spec in tasks.items() if not spec.modalities)


def scored_with(given: Pass, task: str, name: str) -> Bool[Tensor, " S"]:
    """Which of a task's scored rows have the modality, a real one."""
    return given.real[name][given.batch.scored[task][FUSED]]


def mean_over(values: Float[Tensor, " S"], rows: Bool[Tensor, " S"]) -> Float[Tensor, ""]:
    """The mean over these rows, 0 where there are none."""
    return torch.where(rows, values, 0.0).sum() / rows.sum().clamp(min=1)


def mean_of_others(values: Float[Tensor, " M"], known: Bool[Tensor, " M"]) -> tuple[Float[Tensor, " M"], Bool[Tensor, " M"]]:
    """For each modality the mean of all others whose value is known, and where it can be held against that: both are known."""
    others = known & ~torch.eye(len(values), dtype=torch.bool, device=values.device)
    mean = torch.where(others, values, 0.0).sum(1) / others.sum(1).clamp(min=1)
    return mean, known & others.any(1)


def note_of_one(method: str, dims: Mapping[str, int]) -> list[str]:
    """A sentence for the log where there is nothing to balance."""
    return [f"modality_balance={method}: there is only one modality, so that it has no effect"] if len(dims) < 2 else []
