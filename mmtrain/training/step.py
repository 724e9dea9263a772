"""One optimizer step, from batches to new weights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mmtrain.balancing import Balancer
from mmtrain.balancing.balancer import Weights
from mmtrain.batch import FUSED, Batch
from mmtrain.model import Model, Output, scored_rows
from mmtrain.runtime import Runtime


@dataclass(frozen=True)
class Taken:
    """What came of a step: the outputs of its batches, each task's mean loss over the scored rows of all of them, the weight
    that the balancer gave it, and the penalties."""

    outputs: list[Output]
    losses: dict[str, Tensor]
    weights: Weights
    penalties: dict[str, Tensor]


@dataclass(frozen=True)
class Step:
    """Takes a step. `task_weights` are the tasks' weights from the configuration, `clip` bounds the norm of the whole gradient."""

    model: Model
    balancer: Balancer
    optimizer: torch.optim.Optimizer
    runtime: Runtime
    task_weights: Mapping[str, float]
    clip: float | None

    def __call__(self, batches: Sequence[Batch]) -> Taken | None:
        """Make one step of all these batches together; None, and no step, when no row of any batch is labelled."""
        rows = scored_rows(batches)
        if not any(views[FUSED] for views in rows.values()):
            return None
        taken = Taken([], {}, {}, {})
        for batch in batches:
            with self.runtime.autocast():
                output = self.model(batch)
            losses = self.model.losses(output, batch, rows)
            penalties = {name: penalty / len(batches) for name, penalty in output.penalties.items()}
            weights = self.balancer.backward(
                {task: loss * self.task_weights[task] for task, loss in losses.items() if loss.requires_grad},
                boundary=output.boundary,
                parameters=self.parameters,
                penalty=torch.stack(list(penalties.values())).sum() if penalties else None,
                scale=self.runtime.scale,
            )
            taken.outputs.append(output)
            taken.weights.update(weights)
            _add(taken.losses, losses)
            _add(taken.penalties, penalties)
        self._update()
        return taken

    def _update(self) -> None:
        """Unscale, clip, step; the fp16 scaler skips a step whose gradients have overflowed."""
        scaler = self.runtime.scaler
        scaler.unscale_(self.optimizer)
        if self.clip is not None:
            nn.utils.clip_grad_norm_(self.parameters, self.clip)
        scaler.step(self.optimizer)
        scaler.update()
        self.balancer.after_step()
        self.optimizer.zero_grad(set_to_none=True)

    @property
    def parameters(self) -> list[nn.Parameter]:
        """All parameters that are trained now; the optimizer also holds those that are frozen."""
        return [parameter for group in self.optimizer.param_groups for parameter in group["params"] if parameter.requires_grad]


def _add(totals: dict[str, Tensor], more: Mapping[str, Tensor]) -> None:
    for name, number in more.items():
        totals[name] = number.detach() + totals.get(name, 0)
