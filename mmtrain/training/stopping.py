"""Tasks that train no further once their validation skill has stopped rising."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import torch

from mmtrain.batch import Batch


class TaskStops:
    """The best validation skill of every task, and the epochs since; a task with `epochs` of them is stopped for good. None stops none.

    Training goes on as if no row had a label of a stopped task: no balancing method gives it a weight, and none is changed by it. An
    epoch in which a task has no skill says nothing of it.
    """

    def __init__(self, tasks: Iterable[str], epochs: int | None) -> None:
        self.epochs = epochs
        self.best: dict[str, float | None] = dict.fromkeys(tasks)
        self.stale = dict.fromkeys(self.best, 0)

    @property
    def stopped(self) -> list[str]:
        """The tasks that train no further, in their order."""
        return [task for task, stale in self.stale.items() if self.epochs is not None and stale >= self.epochs]

    @property
    def all(self) -> bool:
        """Whether no task is left to train."""
        return len(self.stopped) == len(self.stale)

    def end_epoch(self, skills: Mapping[str, float | None]) -> list[str]:
        """Take in the skills after an epoch, and name the tasks that are stopped by them. A task that is stopped stays so."""
        before = self.stopped
        for task, skill in skills.items():
            best = self.best[task]
            if skill is None:
                continue
            if best is None or skill > best:
                self.best[task] = skill
            if task not in before:
                self.stale[task] = 0 if best is None or skill > best else self.stale[task] + 1
        return [task for task in self.stopped if task not in before]

    def line(self, task: str) -> str:
        """What the log says of a task that is stopped."""
        return f"tasks.{task}: trains no further; no skill on val was above {self.best[task]:.3f} for {self.epochs} epochs"

    def left(self, batch: Batch) -> Batch:
        """The batch without the labels of stopped tasks."""
        stopped = self.stopped
        labelled = {task: torch.zeros_like(batch.labelled[task]) for task in stopped}
        scored = {task: {view: rows[:0] for view, rows in batch.scored[task].items()} for task in stopped}
        return replace(batch, labelled={**batch.labelled, **labelled}, scored={**batch.scored, **scored}) if stopped else batch

    def state_dict(self) -> dict[str, Any]:
        """Best skills and counts."""
        return {"best": self.best, "stale": self.stale}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where `state_dict` was taken."""
        self.best, self.stale = dict(state["best"]), dict(state["stale"])
