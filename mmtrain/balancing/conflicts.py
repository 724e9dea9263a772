"""How far the tasks pull apart."""

from collections.abc import Mapping, Sequence
from itertools import combinations

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from mmtrain import processes
from mmtrain.balancing.rows import feature_rows


class Conflicts:
    """Norms and cosines of the tasks' gradients over the last batch, whatever its parts were. Computed where rows exist anyway.

    At the boundary the sum over the parts of a batch is exact: their features are different ones.
    """

    def __init__(self, tasks: Sequence[str]) -> None:
        self.tasks = list(tasks)
        self.total: Tensor | None = None
        self.over = True

    def add(self, places: Sequence[int], gramian: Float[Tensor, "N N"]) -> None:
        """Take in a part of the batch, or a block of parameters."""
        if self.over or self.total is None:
            self.total = gramian.new_zeros(len(self.tasks), len(self.tasks))
            self.over = False
        index = torch.tensor(places, device=gramian.device)
        self.total[index[:, None], index] += gramian

    def compare(self, losses: Mapping[str, Float[Tensor, ""]], boundary: Sequence[Shaped[Tensor, "..."]]) -> None:
        """Take in the gradients of a part of the batch at the boundary, where nothing else asks for them. Runs through the heads only."""
        rows, tensors = feature_rows(losses, boundary, {task: place for place, task in enumerate(self.tasks)}) if losses else (None, [])
        if rows is not None and (tensors or processes.count() > 1):
            self.add(rows.places, processes.added(rows.gramian()))

    def after_step(self) -> None:
        """What comes next belongs to another batch."""
        self.over = True

    def numbers(self) -> dict[str, float]:
        """`norm/TASK`, `cosine/TASK/TASK` and `conflicts`, the share of pairs whose cosine is negative. Waits for the device."""
        if self.total is None:
            return {}
        gramian = self.total.cpu().double()
        norms = gramian.diagonal().sqrt()
        there = [place for place in range(len(self.tasks)) if 0 < norms[place] < torch.inf]
        found = {f"norm/{self.tasks[place]}": float(norms[place]) for place in there}
        pairs = {
            f"cosine/{self.tasks[one]}/{self.tasks[other]}": float(gramian[one, other] / norms[one] / norms[other])
            for one, other in combinations(there, 2)
        }
        conflicts = {"conflicts": sum(cosine < 0 for cosine in pairs.values()) / len(pairs)} if pairs else {}
        return found | pairs | conflicts
