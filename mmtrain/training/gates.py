"""Mean gate weights, for the curves: which task uses which expert."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from mmtrain.model import Output

Means = dict[str, dict[str, dict[str, float]]]


class Gates:
    """Adds up gate weights over the rows that a view speaks for. Sums stay on their device, so that nothing waits for it."""

    def __init__(self) -> None:
        self.names: dict[str, dict[str, list[str]]] = {}
        self.sums: dict[str, dict[str, Tensor]] = {}
        self.rows: dict[str, dict[str, Tensor]] = {}

    def add(self, output: Output) -> None:
        """Add the rows of a batch."""
        for (task, view), gate in output.gates.items():
            sums, rows, counts = self.sums.setdefault(task, {}), self.rows.setdefault(task, {}), output.answers[view]
            self.names.setdefault(task, {})[view] = list(gate.names)
            sums[view] = torch.where(counts[:, None], gate.weights.detach(), 0).sum(0) + sums.get(view, 0)
            rows[view] = counts.sum() + rows.get(view, 0)

    def means(self) -> Means:
        """The mean weight of each expert by task, view and its name; a view that spoke for no row is left out."""
        means: Means = {}
        for task, views in self.sums.items():
            rows = {view: int(count) for view, count in self.rows[task].items()}
            spoke = {view: (total / rows[view]).tolist() for view, total in views.items() if rows[view] > 0}
            means[task] = {view: dict(zip(self.names[task][view], weights, strict=True)) for view, weights in spoke.items()}
        return means

    def state_dict(self) -> dict[str, Any]:
        """All that was added."""
        return {"names": self.names, "sums": self.sums, "rows": self.rows}

    def add_state(self, state: Mapping[str, Any], device: torch.device) -> None:
        """Add all that was there where `state_dict` was taken, on the device that the next batches come from."""
        for task, names in state["names"].items():
            sums, rows = self.sums.setdefault(task, {}), self.rows.setdefault(task, {})
            self.names.setdefault(task, {}).update(names)
            for view in names:
                sums[view] = state["sums"][task][view].to(device) + sums.get(view, 0)
                rows[view] = state["rows"][task][view].to(device) + rows.get(view, 0)


def points(means: Means, word: str) -> dict[str, float]:
    """Mean weights as points of the curves: `<task>/<word>/<view>/<expert>`."""
    return {
        f"{task}/{word}/{view}/{name}": weight
        for task, found in means.items()
        for view, weights in found.items()
        for name, weight in weights.items()
    }
