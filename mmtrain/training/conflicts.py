"""How far the tasks pull apart, over the steps of an epoch."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor


class EpochConflicts:
    """Means over the compared steps in which a task, or two, had a gradient that is neither zero nor infinite. Sums stay on the device."""

    def __init__(self, tasks: Sequence[str]) -> None:
        self.tasks = sorted(tasks)
        self.steps = 0
        self.sums: dict[str, Tensor] = {}

    def add(self, gramian: Float[Tensor, "T T"]) -> None:
        """Take in a step: the products of each two tasks' gradients, zeros for a task that has none."""
        norms = gramian.diagonal().sqrt()
        there = (norms > 0) & norms.isfinite()
        both = there[:, None] & there
        cosines = torch.where(both, gramian / torch.where(both, norms[:, None] * norms, 1.0), 0.0)
        found = {
            "norm": torch.where(there, norms, 0.0),
            "norms": there,
            "cosine": cosines,
            "cosines": both,
            "conflict": (cosines < 0).any(),
        }
        self.sums = {name: number + self.sums.get(name, 0) for name, number in found.items()}
        self.steps += 1

    def numbers(self) -> dict[str, Any]:
        """`steps` that were compared, the mean `norm` of each task and the mean `cosine` of each pair, and `conflicts`: the share of
        steps in which the cosine of some pair is negative. Empty where no step was compared."""
        if self.steps == 0:
            return {}
        sums = {name: total.double().cpu() for name, total in self.sums.items()}
        norms, cosines = (sums[name] / sums[f"{name}s"] for name in ("norm", "cosine"))
        norm = {task: float(norms[place]) for place, task in enumerate(self.tasks) if sums["norms"][place] > 0}
        pairs = [(one, other) for one, other in combinations(range(len(self.tasks)), 2) if sums["cosines"][one, other] > 0]
        cosine = {f"{self.tasks[one]}/{self.tasks[other]}": float(cosines[one, other]) for one, other in pairs}
        return {"steps": self.steps, "norm": norm, "cosine": cosine, "conflicts": float(sums["conflict"]) / self.steps}

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint in the middle of an epoch must hold."""
        return {"steps": self.steps, "sums": self.sums}

    def load_state_dict(self, state: Mapping[str, Any], device: torch.device) -> None:
        """Go on where `state_dict` was taken."""
        self.steps = state["steps"]
        self.sums = {name: total.to(device) for name, total in state["sums"].items()}
