"""The loop: epochs of steps, each epoch ending in a look at validation and a checkpoint.

Everything that decides what comes next is in `state_dict`: a run that is killed at any moment and resumed from its last
checkpoint ends in the same weights, to the bit, as one that was never stopped.
"""

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mmtrain import checkpoint, processes, runtime
from mmtrain.balancing import Balancer
from mmtrain.batch import FUSED, Batch
from mmtrain.data import Dataset, batches
from mmtrain.folder import RunFolder
from mmtrain.modality_balance import ModalityBalance
from mmtrain.model import Model
from mmtrain.runtime import Runtime
from mmtrain.sampler import Sampler, epoch_in_words
from mmtrain.scheduler import Schedule
from mmtrain.tracker import Tracker
from mmtrain.training.average import Average
from mmtrain.training.cut import evaluate_modalities
from mmtrain.training.display import Display
from mmtrain.training.divergence import refuse_divergence
from mmtrain.training.freezing import Freezing
from mmtrain.training.gates import Gates, points
from mmtrain.training.meter import Meter, Scores, evaluate
from mmtrain.training.progress import Progress
from mmtrain.training.settings import Selection, Settings
from mmtrain.training.step import Step, Taken
from mmtrain.training.stopping import TaskStops


class Loop:
    """Trains `model` on `train`, keeps the weights that are best on `val`."""

    def __init__(
        self,
        model: Model,
        train: Dataset,
        val: Dataset,
        *,
        balancer: Balancer,
        modality_balance: ModalityBalance,
        optimizer: torch.optim.Optimizer,
        schedule: Schedule,
        sampler: Sampler,
        freezing: Freezing,
        runtime: Runtime,
        settings: Settings,
        selection: Selection,
        seed: int,
        folder: RunFolder,
        tracker: Tracker,
        display: Display,
    ) -> None:
        self.model, self.train, self.val = model, train, val
        self.balancer, self.modality_balance = balancer, modality_balance
        self.optimizer, self.schedule, self.sampler = optimizer, schedule, sampler
        self.freezing, self.runtime, self.settings, self.selection, self.seed = freezing, runtime, settings, selection, seed
        self.folder, self.tracker, self.display = folder, tracker, display
        weights = {name: task.weight for name, task in model.tasks.items()}
        self.step = Step(model, balancer, modality_balance, optimizer, runtime, weights, settings.clip)
        self.stops = TaskStops(model.tasks, settings.per_task_stop)
        self.average = Average(model, settings.average)
        self.rates = [group["lr"] for group in optimizer.param_groups]
        steps_per_epoch = math.ceil(math.ceil(len(train) / settings.batch_size) / settings.accumulate)
        self.total_steps = settings.steps or settings.epochs * steps_per_epoch
        self.epochs = math.ceil(self.total_steps / steps_per_epoch)
        self.progress = Progress()
        self.meter = Meter(model.tasks, training=True)
        self.weights: dict[str, float | Tensor | None] = {}

    def run(self) -> None:
        """Train to the end, or until validation has not improved for `patience` epochs, or no task is left to train."""
        while not self.finished:
            self._train_epoch()
            self._end_epoch()

    @property
    def finished(self) -> bool:
        """Whether all steps or epochs are done, patience is at its end, or every task is stopped."""
        progress, patience = self.progress, self.settings.patience or math.inf
        done = progress.step >= self.total_steps if self.settings.steps is not None else progress.epoch >= self.epochs
        return (done and progress.batch == 0) or progress.stale >= patience or self.stops.all

    def epoch_in_words(self) -> str:
        """How many rows an epoch takes, and of which tasks."""
        return epoch_in_words(self.sampler(self.seed, 0), self.train.labelled)

    def _train_epoch(self) -> None:
        self.begin_epoch()
        self.display.start_epoch(self.progress.epoch + 1, self.epochs, len(self.train), done=self.meter.rows)
        started = saved = time.perf_counter()
        for group in self.groups():
            if self.progress.step >= self.total_steps:  # also where a resumed run has nothing left but the end of the epoch
                break
            self.take_step(group)
            now = time.perf_counter()
            self.progress = replace(self.progress, epoch_seconds=self.progress.epoch_seconds + now - started)
            started = now
            due = now - saved >= self.settings.checkpoint_seconds
            if any(processes.sums([due and processes.rank() == 0])):  # by the first process's clock
                self._save()
                saved = now

    def begin_epoch(self) -> None:
        """Make the parts ready for the steps of the epoch."""
        self.model.train()
        self.freezing.apply(self.progress.epoch, stopped=self.stops.stopped)
        self.modality_balance.start_epoch(self.progress.epoch + 1)

    def groups(self) -> Iterator[list[Batch]]:
        """What is left of the epoch, `accumulate` batches at a time."""
        settings, progress = self.settings, self.progress
        order = self.sampler(self.seed, progress.epoch)
        left = batches(self.train, settings.batch_size, order=order, skip=progress.batch, share=processes.share())
        while group := list(islice(left, settings.accumulate)):
            yield [batch.to(self.runtime.device) for batch in group]

    def take_step(self, group: Sequence[Batch]) -> None:
        """One optimizer step with everything around it: rate, meter, display, curves."""
        factor = self.schedule((self.progress.step + 0.5) / self.total_steps)
        for param_group, rate in zip(self.optimizer.param_groups, self.rates, strict=True):
            param_group["lr"] = rate * factor
        left = [self.stops.left(batch) for batch in group]
        every = self.settings.conflicts_every * self.settings.accumulate
        runtime.seed_step(self.seed, self.progress.epoch, self.progress.batch)
        taken = self.step(left, compare=every > 0 and self.progress.batch % every == 0)
        [rows] = processes.sums([sum(map(len, group))])
        self.progress = replace(self.progress, batch=self.progress.batch + len(group), samples=self.progress.samples + rows)
        if taken is None:
            self.progress = replace(self.progress, empty=self.progress.empty + 1)
            return
        self.weights |= taken.weights
        for batch, output in zip(filter(len, group), taken.outputs, strict=True):
            self.meter.add(batch, output)
        if processes.rank() == 0:  # losses and gradients are those of all processes
            self.meter.add_losses(taken.losses, taken.rows)
            if taken.gramian is not None:
                self.meter.conflicts.add(taken.gramian)
        self.progress = replace(self.progress, step=self.progress.step + 1)
        self.average.update(self.progress.step)
        self.display.advance(rows, {task: views[FUSED] for task, views in taken.losses.items()})
        if self.progress.step % self.settings.log_steps == 0:
            self._track(taken, factor)

    def _track(self, taken: Taken, factor: float) -> None:
        """Add a point to the training curves, and stop a run that has diverged."""
        losses = {task: float(views[FUSED]) for task, views in taken.losses.items()}
        refuse_divergence(losses, self.progress.step)
        numbers = {f"train/{task}/step_loss": loss for task, loss in losses.items()}
        numbers |= {f"train/{task}/weight": float(weight) for task, weight in self.weights.items() if weight is not None}
        numbers |= {f"train/penalty/{name}": float(penalty) for name, penalty in taken.penalties.items()}
        for task, views in self.modality_balance.view_weights.items():
            numbers |= {f"train/{task}/view_weight/{view}": weight for view, weight in views.items()}
        gates = Gates()
        for output in taken.outputs:
            gates.add(output)
        numbers |= {f"train/{name}": weight for name, weight in points(gates.means(), "step_gate").items()}
        numbers |= {f"train/gradient/{name}": number for name, number in self.balancer.diagnostics().items()}
        self.tracker.log(self.progress.step, numbers | {"train/lr_factor": factor})

    def _end_epoch(self) -> None:
        train = self.meter.scores()
        self.balancer.epoch_end({task: found["loss"] for task, found in train.tasks.items() if found["loss"] is not None})
        started = time.perf_counter()
        with self.average.applied():
            score = evaluate_modalities if self._contributions else evaluate
            val = score(self.model, self.val, self.runtime, batch_size=self.settings.evaluation_batch_size)
        val_seconds = time.perf_counter() - started
        for scores in (train, val):
            refuse_divergence({task: found["loss"] for task, found in scores.tasks.items()}, self.progress.step)
        self.modality_balance.epoch_end(train.views, val.views)
        stopped = self.stops.end_epoch({task: found["skill"] for task, found in val.tasks.items()})
        better, train_seconds = self._advance_epoch(val), self.progress.epoch_seconds
        self._record("train", train, train_seconds, sum(processes.sums([self.meter.rows])))
        self._record("val", val, val_seconds, len(self.val))
        self.display.end_epoch(self.progress.epoch, self.epochs, train, val, better=better)
        for task in stopped:
            self.weights.pop(task, None)
            self.display.say(self.stops.line(task))
        for note in val.notes("val") if self.progress.epoch == 1 else ():
            self.display.say(f"note: {note}")
        self.progress = replace(self.progress, seconds=self.progress.seconds + train_seconds, epoch_seconds=0.0)
        self.meter = Meter(self.model.tasks, training=True)
        self._save(best=better)

    @property
    def _contributions(self) -> bool:
        """Whether to measure what each modality brings; where only whole rows are answered, there is nothing to compare."""
        return self.settings.contributions and len(self.val.modalities) > 1 and not self.val.whole_rows

    def _advance_epoch(self, val: Scores) -> bool:
        """Count the epoch and say whether it is the best so far."""
        score, selected_by = self._score(val)
        epoch = self.progress.epoch + 1
        ranked = [score, -math.inf if val.loss is None else -val.loss]  # few val rows tie often: then the loss decides
        better = self.progress.best is None or ranked > self.progress.best
        if better:
            self.progress = replace(self.progress, epoch=epoch, batch=0, best=ranked, best_epoch=epoch, selected_by=selected_by, stale=0)
        else:
            self.progress = replace(self.progress, epoch=epoch, batch=0, stale=self.progress.stale + 1)
        return better

    def _score(self, val: Scores) -> tuple[float, str]:
        """What selection goes by: skill, or the loss where no task has a skill."""
        task = self.selection.task
        skill = val.skill if task is None else val.tasks[task]["skill"]
        if skill is not None:
            return skill, "skill" if task is None else f"skill of {task}"
        return (-math.inf if val.loss is None else -val.loss), "loss"

    def _record(self, split: str, scores: Scores, seconds: float, rows: int) -> None:
        tasks = {
            name: {"weight": _number(self.weights.get(name))} | {key: found[key] for key in found if key not in ("rows", "constant")}
            for name, found in scores.tasks.items()
        }
        for name in tasks if split == "val" else ():
            tasks[name]["best"] = self.stops.best[name]
        line = {"epoch": self.progress.epoch, "step": self.progress.step, "split": split, "loss": scores.loss, "skill": scores.skill}
        line |= {"tasks": tasks} | ({"modalities": scores.modalities} if scores.modalities else {})
        more = {"views": scores.views, "gates": scores.gates, "gradients": scores.gradients}
        line |= {name: found for name, found in more.items() if found}
        self.folder.append_metrics(line | {"seconds": seconds, "samples_per_second": rows / max(seconds, 1e-9)})
        numbers = {f"{split}/loss": scores.loss, f"{split}/skill": scores.skill}
        numbers |= {f"{split}/{name}/{metric}": value for name, found in scores.tasks.items() for metric, value in found.items()}
        numbers |= {f"{split}/modalities/{name}/{key}": value for name, found in scores.modalities.items() for key, value in found.items()}
        numbers |= {f"{split}/{name}": weight for name, weight in points(scores.gates, "gate").items()}
        self.tracker.log(self.progress.step, {name: value for name, value in numbers.items() if value is not None})

    def _save(self, *, best: bool = False) -> None:
        """Write the checkpoint; the best one first, so that whichever moment a kill falls on, `last` leads to the same `best`."""
        self.tracker.flush()
        if best:
            with self.average.applied():
                self._write(self.folder.best)
        self._write(self.folder.last)

    def _write(self, folder: Path) -> None:
        """All processes have a part in the state; the first one writes it."""
        state = self.state_dict()
        if processes.rank() == 0:
            checkpoint.save(folder, state)

    def state_dict(self) -> dict[str, Any]:
        """Everything that the rest of the run depends on."""
        return {
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "balancer": self.balancer.state_dict(),
            "modality_balance": self.modality_balance.state_dict(),
            "scaler": self.runtime.scaler.state_dict(),
            "random": runtime.random_state(self.runtime),
            "meter": self.meter.state_dict(),
            "weights": self.weights,
            "stops": self.stops.state_dict(),
            "progress": asdict(self.progress),
            "sizes": self.folder.sizes(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where `state_dict` was taken."""
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.balancer.load_state_dict(state["balancer"])
        self.modality_balance.load_state_dict(state["modality_balance"])
        self.runtime.scaler.load_state_dict(state["scaler"])
        runtime.restore_random_state(self.runtime, state["random"])
        self.meter.load_state_dict(state["meter"], self.runtime.device)
        self.weights = state["weights"]
        self.stops.load_state_dict(state["stops"])
        self.progress = Progress(**state["progress"])


def _number(value: float | Tensor | None) -> float | None:
    return None if value is None else float(value)
