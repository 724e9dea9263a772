"""From predictions to loss, metrics and skill, for training and evaluation alike."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from mmtrain.batch import Batch
from mmtrain.data import Dataset, batches
from mmtrain.model import Model, Output
from mmtrain.runtime import Runtime
from mmtrain.task import Task


@dataclass(frozen=True)
class Scores:
    """What a split came to.

    `loss` is the sum over tasks of configured weight times mean loss; `skill` the mean skill of the tasks that have one. `tasks[t]`
    holds `loss`, `skill`, `rows`, every metric of the task in the user's units, and `constant`, the primary metric of
    the best constant answer. What is undefined is None.
    """

    loss: float | None
    skill: float | None
    tasks: dict[str, dict[str, Any]]


class Meter:
    """Gathers predictions and losses batch by batch; computes on the host once, at the end."""

    def __init__(self, tasks: Mapping[str, Task]) -> None:
        self.tasks = tasks
        self.rows = 0
        self.sums: dict[str, Tensor] = {}
        self.counts = dict.fromkeys(tasks, 0)
        self.kept: dict[str, dict[str, list[Tensor]]] = {task: {"prediction": [], "target": [], "labelled": []} for task in tasks}

    def add(self, batch: Batch, output: Output) -> None:
        """Keep a batch's predictions; they stay on their device, so that nothing waits for it."""
        self.rows += len(batch)
        for task, kept in self.kept.items():
            kept["prediction"].append(output.predictions[task].detach().float())
            kept["target"].append(batch.targets[task])
            kept["labelled"].append(batch.labelled[task])

    def add_loss(self, task: str, total: Float[Tensor, ""], rows: int) -> None:
        """Add the loss summed over so many rows."""
        self.sums[task] = total.detach() + self.sums.get(task, 0)
        self.counts[task] += rows

    def scores(self) -> Scores:
        """Everything that was gathered, as plain numbers."""
        found = {name: self._task(name) for name in self.tasks}
        skills = [task["skill"] for task in found.values() if task["skill"] is not None]
        losses = [self.tasks[name].weight * task["loss"] for name, task in found.items() if task["loss"] is not None]
        return Scores(sum(losses) if losses else None, sum(skills) / len(skills) if skills else None, found)

    def _task(self, name: str) -> dict[str, Any]:
        task, kept = self.tasks[name], self.kept[name]
        loss = float(self.sums[name]) / self.counts[name] if self.counts[name] else None
        labelled = torch.cat(kept["labelled"]).cpu()
        answer = task.answer(torch.cat(kept["prediction"]).cpu()[labelled])
        return {"loss": loss, **task.evaluate(answer, torch.cat(kept["target"]).cpu()[labelled].numpy())}

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint in the middle of an epoch must hold for the epoch's figures to come out the same."""
        kept = {task: {name: torch.cat(parts) for name, parts in lists.items() if parts} for task, lists in self.kept.items()}
        return {"rows": self.rows, "sums": self.sums, "counts": self.counts, "kept": kept}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where `state_dict` was taken."""
        self.rows, self.sums, self.counts = state["rows"], state["sums"], state["counts"]
        self.kept = {
            task: {name: [state["kept"][task][name]] if name in state["kept"][task] else [] for name in lists}
            for task, lists in self.kept.items()
        }


@torch.inference_mode()
def evaluate(model: Model, dataset: Dataset, runtime: Runtime, *, batch_size: int) -> Scores:
    """Predict every row of a split, in the table's order, and score it. The model is left in evaluation mode."""
    model.eval()
    meter = Meter(model.tasks)
    unit = dict.fromkeys(model.tasks, 1)
    for batch in batches(dataset, batch_size, seed=0, epoch=0, shuffle=False):
        batch = batch.to(runtime.device)
        with runtime.autocast():
            output = model(batch)
        meter.add(batch, output)
        for task, total in model.losses(output, batch, unit).items():
            meter.add_loss(task, total, len(batch.scored[task]))
    return meter.scores()
