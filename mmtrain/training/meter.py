"""From predictions to loss, metrics and skill, for training and evaluation alike."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mmtrain import processes
from mmtrain.batch import FUSED, Batch
from mmtrain.data import Dataset, batches
from mmtrain.data.dataset import ALL
from mmtrain.model import Model, Output
from mmtrain.objective import Losses, Rows, scored_rows, view_losses
from mmtrain.runtime import Runtime
from mmtrain.task import Task, condensed, join
from mmtrain.training.conflicts import EpochConflicts
from mmtrain.training.gates import Gates, Means


@dataclass(frozen=True)
class Scores:
    """What a split came to.

    `loss` is the sum over tasks of configured weight times mean loss; `skill` the mean skill of the tasks that have one. `views[t]`
    holds the mean loss of each view where a model has more than one. `tasks[t]`
    holds `loss`, `skill`, `rows`, every metric of the task in the user's units, and `constant`, the primary metric of
    the best constant answer. `classes[t]`, where asked for and t has classes, holds precision, recall, f1 and rows of each label.
    `modalities[m]`, where asked for, holds what modality m brings to the mean skill, as `cut.contributions` says.
    `gates[t][v]` holds the mean weight of each expert, by its name, where tasks weigh what they share. `gradients`, where steps of
    training were compared, is what `EpochConflicts.numbers` gives.
    What is undefined is None.
    """

    loss: float | None
    skill: float | None
    tasks: dict[str, dict[str, Any]]
    classes: dict[str, dict[str, Any]] = field(default_factory=dict)
    views: dict[str, dict[str, float]] = field(default_factory=dict)
    modalities: dict[str, dict[str, float | None]] = field(default_factory=dict)
    gates: Means = field(default_factory=dict)
    gradients: dict[str, Any] = field(default_factory=dict)

    def notes(self, split: str) -> list[str]:
        """A sentence for each task that has no skill on these rows and so is not in the mean, or that has rows it can never get right."""
        undefined = [
            f"tasks.{task}: its skill is not defined on {split} ({found['rows']} labelled rows); the mean is that of the other tasks"
            for task, found in self.tasks.items()
            if found["skill"] is None
        ]
        return undefined + [
            f"tasks.{task}: {found['too_long']:.1%} of the texts on {split} have more letters than their rows have tokens, and cannot be "
            "learned or written; choose an encoder that gives more tokens, such as one with fewer layers"
            for task, found in self.tasks.items()
            if found.get("too_long")
        ]


class Meter:
    """Gathers predictions and losses batch by batch; computes on the host once, at the end.

    While `training`, tasks that generate their answers are not scored. Of several processes each adds its own batches; `scores`, `skill`
    and `state_dict` are asked by all at once: the first one computes from what all have, and tells the others.
    """

    def __init__(self, tasks: Mapping[str, Task], *, training: bool = False) -> None:
        self.tasks, self.training = tasks, training
        self.rows = 0
        scored = [name for name, task in tasks.items() if not (training and getattr(task, "generates", False))]
        self.sums: dict[str, dict[str, Tensor]] = {task: {} for task in tasks}
        self.counts: dict[str, dict[str, int]] = {task: {} for task in tasks}
        self.kept: dict[str, dict[str, list[Tensor]]] = {task: {"prediction": [], "target": [], "labelled": []} for task in scored}
        self.gates = Gates()
        self.conflicts = EpochConflicts(list(tasks))

    def add(self, batch: Batch, output: Output) -> None:
        """Keep a batch's predictions; they stay on their device, so that nothing waits for it."""
        self.rows += len(batch)
        self.gates.add(output)
        for task, kept in self.kept.items():
            kept["prediction"].append(condensed(self.tasks[task], output.predictions[task]))
            kept["target"].append(batch.targets[task])
            kept["labelled"].append(batch.labelled[task])

    def add_losses(self, losses: Losses, rows: Rows) -> None:
        """Add mean losses over so many rows, both by task and view."""
        for task, views in losses.items():
            sums, counts = self.sums[task], self.counts[task]
            for view, loss in views.items():
                sums[view] = loss.detach() * rows[task][view] + sums.get(view, 0)
                counts[view] = counts.get(view, 0) + rows[task][view]

    def add_scored(self, model: Model, batch: Batch, output: Output) -> None:
        """Keep a batch's predictions and add their losses."""
        self.add(batch, output)
        rows = scored_rows([batch])
        self.add_losses(view_losses(model, output, batch, rows), rows)

    def scores(self, *, per_class: bool = False) -> Scores:
        """Everything that was gathered, as plain numbers."""
        whole = self._together()
        return Scores(**processes.of_first(lambda: asdict(whole._scores(per_class))))

    def skill(self) -> float | None:
        """The mean skill that `scores` gives, at a fraction of its time."""
        whole = self._together()
        found: float | None = processes.of_first(lambda: _mean(task.skill(*whole._answered(name)) for name, task in self.tasks.items()))
        return found

    def _scores(self, per_class: bool) -> Scores:
        answered = {name: self._answered(name) for name in self.kept}
        found = {name: {"loss": self._loss(name), **self._evaluated(name, answered)} for name in self.tasks}
        classes = {name: self.tasks[name].evaluate_classes(*answer) for name, answer in answered.items() if per_class}
        losses = [self.tasks[name].weight * task["loss"] for name, task in found.items() if task["loss"] is not None]
        classes = {name: labels for name, labels in classes.items() if labels}
        views = {name: {view: float(total) / self.counts[name][view] for view, total in sums.items()} for name, sums in self.sums.items()}
        views = {name: found for name, found in views.items() if len(found) > 1}
        mean = _mean(task["skill"] for task in found.values())
        return Scores(
            sum(losses) if losses else None, mean, found, classes, views, gates=self.gates.means(), gradients=self.conflicts.numbers()
        )

    def _evaluated(self, name: str, answered: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> dict[str, float | None]:
        if name in answered:
            return self.tasks[name].evaluate(*answered[name])
        return {"rows": self.counts[name].get(FUSED, 0), "skill": None}

    def _loss(self, name: str) -> float | None:
        return float(self.sums[name][FUSED]) / self.counts[name][FUSED] if self.sums[name] else None

    def _answered(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """What the labelled rows were answered, and what they are."""
        kept = self.kept[name]
        labelled = torch.cat(kept["labelled"]).cpu()
        answer = self.tasks[name].answer(join(kept["prediction"]).cpu()[labelled])
        return answer, torch.cat(kept["target"]).cpu()[labelled].numpy()

    def _together(self) -> "Meter":
        """One that holds what all processes have, on the first of them."""
        if processes.count() == 1:
            return self
        whole = Meter(self.tasks, training=self.training)
        for state in processes.gathered(self._state()):
            whole._add_state(state, torch.device("cpu"))
        return whole

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint in the middle of an epoch must hold for the epoch's figures to come out the same."""
        return self._together()._state()

    def _state(self) -> dict[str, Any]:
        kept = {task: {name: join(parts) for name, parts in lists.items() if parts} for task, lists in self.kept.items()}
        more = {"gates": self.gates.state_dict(), "conflicts": self.conflicts.state_dict()}
        return {"rows": self.rows, "sums": self.sums, "counts": self.counts, "kept": kept, **more}

    def load_state_dict(self, state: Mapping[str, Any], device: torch.device) -> None:
        """Go on where `state_dict` was taken, on the device that the next batches come from; of several processes the first one."""
        if processes.rank() == 0:
            self._add_state(state, device)

    def _add_state(self, state: Mapping[str, Any], device: torch.device) -> None:
        self.rows += state["rows"]
        self.gates.add_state(state["gates"], device)
        if state["conflicts"]["steps"] > 0:  # only the first process counts them
            self.conflicts.load_state_dict(state["conflicts"], device)
        for task, views in state["sums"].items():
            for view, total in views.items():
                self.sums[task][view] = total.to(device) + self.sums[task].get(view, 0)
                self.counts[task][view] = state["counts"][task][view] + self.counts[task].get(view, 0)
        for task, parts in state["kept"].items():
            for name, part in parts.items():
                self.kept[task][name].append(part.to(device))


def _mean(skills: Iterable[float | None]) -> float | None:
    """Over the tasks that have a skill."""
    known = [skill for skill in skills if skill is not None]
    return sum(known) / len(known) if known else None


def predictions(model: Model, dataset: Dataset, runtime: Runtime, *, batch_size: int, share: slice = ALL) -> Iterator[tuple[Batch, Output]]:
    """Predict every row of a split, or of each batch a share, in its own order. The model is left in evaluation mode."""
    model.eval()
    for batch in filter(len, batches(dataset, batch_size, share=share)):
        batch = batch.to(runtime.device)
        with torch.inference_mode(), runtime.autocast():
            output = model(batch)
        yield batch, output


@torch.inference_mode()
def evaluate(model: Model, dataset: Dataset, runtime: Runtime, *, batch_size: int, per_class: bool = False) -> Scores:
    """Predict every row of a split and score it; with `per_class` each label of the class tasks too.

    The model is left in evaluation mode.
    """
    meter = Meter(model.tasks)
    for batch, output in predictions(model, dataset, runtime, batch_size=batch_size, share=processes.share()):
        meter.add_scored(model, batch, output)
    return meter.scores(per_class=per_class)
