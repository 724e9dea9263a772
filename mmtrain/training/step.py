"""One optimizer step, from batches to new weights."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from mmtrain import processes, runtime
from mmtrain.balancing import Balancer
from mmtrain.balancing.balancer import Weights
from mmtrain.balancing.conflicts import Conflicts
from mmtrain.batch import FUSED, Batch
from mmtrain.missing import restricted
from mmtrain.modality_balance import ModalityBalance, Pass
from mmtrain.modality_balance.method import Present
from mmtrain.model import Model, Output
from mmtrain.objective import Losses, Rows, over_processes, row_losses, scored_rows, total, view_losses, view_weights, whole_losses
from mmtrain.runtime import Runtime
from mmtrain.training.untouched import untouched


@dataclass(frozen=True)
class Taken:
    """What came of a step: the outputs of this process's batches, without those that have no row; each task's mean loss in each view
    over the scored rows of all batches, in all processes, and how many `rows` these are; the weight that the balancer gave the task;
    the penalties of this process; and the `gramian` of the tasks' gradients at the boundary, in the order of their names, where they
    were compared: zeros for a task that has none."""

    outputs: list[Output]
    rows: Rows
    losses: Losses
    weights: Weights
    penalties: dict[str, Tensor]
    gramian: Float[Tensor, "T T"] | None = None


@dataclass(frozen=True)
class Step:
    """Takes a step. `task_weights` are the tasks' weights from the configuration, `clip` bounds the norm of the whole gradient.

    Of several processes each calls it with its share of the same batches. Losses have the values of the whole batch everywhere, so that
    balancers weigh alike; gradients of the shares are summed. Batch statistics are those of a share, and so are penalties, each a
    mean of the processes'; running statistics and all other buffers are the first process's after the step.
    """

    model: Model
    balancer: Balancer
    modality_balance: ModalityBalance
    optimizer: torch.optim.Optimizer
    runtime: Runtime
    task_weights: Mapping[str, float]
    clip: float | None

    def __call__(self, batches: Sequence[Batch], *, compare: bool = False) -> Taken | None:
        """Make one step of all these batches together; None, and no step, when no row of any batch is labelled.

        With `compare` the gradients of the losses that the balancer gets are compared too, whatever it does with them.
        """
        rows = over_processes(scored_rows(batches))
        if not any(views[FUSED] for views in rows.values()):
            return None
        if self.balancer.looks_ahead and len(batches) > 1:
            self.balancer.look_ahead(self._losses_again(batches, rows))
        start = runtime.random_state(self.runtime) if self.balancer.measures else None
        taken, conflicts = Taken([], rows, {}, {}, {}), Conflicts(sorted(self.model.tasks))
        for batch in batches:
            output, losses, totals = self._losses(batch, rows)
            boundary, penalties = ([], {}) if output is None else (output.boundary, output.penalties)
            penalties = {name: penalty / len(batches) for name, penalty in penalties.items()}
            learning = {task: loss for task, loss in totals.items() if loss.requires_grad}
            if compare:
                conflicts.compare(learning, boundary)
            weights = self.balancer.backward(
                learning,
                boundary=boundary,
                parameters=self.parameters,
                penalty=torch.stack(list(penalties.values())).sum() / processes.count() if penalties else None,
                scale=self.runtime.scale,
            )
            taken.outputs.extend([] if output is None else [output])
            taken.weights.update(weights)
            for task, views in losses.items():
                _add(taken.losses.setdefault(task, {}), views)
            _add(taken.penalties, penalties)
        processes.add_gradients(self.parameters)
        taken.weights.update(self.balancer.before_step())
        self._update(None if start is None else partial(self._losses_again, batches, rows, start))
        processes.spread(self.model.buffers())
        return replace(taken, gramian=conflicts.total)

    def _losses(self, batch: Batch, rows: Rows) -> tuple[Output | None, Losses, dict[str, Tensor]]:
        """The model's output, if there is any row; its losses by task and view, and each task's loss of all views together."""
        output, losses = None, {}
        if len(batch) > 0:
            with self.runtime.autocast():
                output = self._forward(batch)
            losses = view_losses(self.model, output, batch, rows)
        losses = whole_losses(losses, rows, torch.zeros((), device=self.runtime.device))
        totals = {task: self.task_weights[task] * total(views, self._view_weights(task, rows)) for task, views in losses.items()}
        return output, losses, totals

    def _losses_again(self, batches: Sequence[Batch], rows: Rows, start: Mapping[str, Any] | None = None) -> dict[str, Tensor]:
        """What the losses of all batches add up to, by task, in a pass that leaves nothing behind.

        Before the step its random draws are those to come. After it they are those of `start`, so that only the step makes a
        difference: the same augmentation, the same dropout.
        """
        found: dict[str, Tensor] = {}
        ahead = start is None  # with a graph then, batch by batch: it tells which tasks can still learn
        tensors = [*self.model.buffers(), *self.modality_balance.buffers(), *self.modality_balance.parameters()]
        with untouched(self.runtime, tensors, start=start), torch.set_grad_enabled(ahead):
            for batch in batches:
                _add(found, {task: loss for task, loss in self._losses(batch, rows)[2].items() if loss.requires_grad or not ahead})
        return found

    def _forward(self, batch: Batch) -> Output:
        """The model's output, as the balance of modalities would have it."""
        output = self.model(batch)

        def answer(present: Present) -> Mapping[str, Tensor]:
            left = {name: there & output.present[name] for name, there in present.items()}
            real = {name: there & output.real[name] for name, there in left.items()}
            tokens = {name: restricted(part, left[name]) for name, part in output.tokens.items()}
            return self.model.predict(tokens, left, real).predictions

        def losses(predictions: Mapping[str, Tensor]) -> dict[str, Tensor]:
            scored = [task for task in predictions if len(batch.scored[task][FUSED])]
            return {task: row_losses(self.model.loss[task], predictions[task], batch, task, FUSED, output.mix) for task in scored}

        given = Pass(batch, output.predictions, output.tokens, output.present, output.real, answer, losses)
        predictions, penalties = self.modality_balance.adapt(given)
        return replace(output, predictions=predictions, penalties={**output.penalties, **penalties})

    def _view_weights(self, task: str, rows: Rows) -> Mapping[str, float]:
        """What each view's loss counts; of the weights of all views, those of the task's own, brought to the same sum."""
        own = dict.fromkeys((FUSED, *self.model.head[task]))
        given = self.modality_balance.view_weights.get(task)
        if not given:
            return view_weights({view: rows[task][view] for view in own}, self.model.auxiliary)
        factor = sum(given.values()) / sum(given[view] for view in own)
        return {view: factor * given[view] for view in own}

    def _update(self, measure: Callable[[], Mapping[str, Tensor]] | None) -> None:
        """Unscale, clip, step; the fp16 scaler skips a step whose gradients have overflowed."""
        scaler = self.runtime.scaler
        scaler.unscale_(self.optimizer)
        self.modality_balance.after_backward(dict(self.model.encoder.items()))
        if self.clip is not None:
            nn.utils.clip_grad_norm_(self.parameters, self.clip)
        scaler.step(self.optimizer)
        scaler.update()
        self.balancer.after_step(measure)
        self.optimizer.zero_grad(set_to_none=True)

    @property
    def parameters(self) -> list[nn.Parameter]:
        """All parameters that are trained now; the optimizer also holds those that are frozen."""
        return [parameter for group in self.optimizer.param_groups for parameter in group["params"] if parameter.requires_grad]


def _add(totals: dict[str, Tensor], more: Mapping[str, Tensor]) -> None:
    for name, number in more.items():
        totals[name] = number.detach() + totals.get(name, 0)
