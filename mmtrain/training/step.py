"""One optimizer step, from batches to new weights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mmtrain.balancing import Balancer
from mmtrain.batch import Batch
from mmtrain.model import Model, Output
from mmtrain.runtime import Runtime


@dataclass(frozen=True)
class Step:
    """Takes a step. `factors` are the tasks' weights from the configuration, `clip` bounds the norm of the whole gradient."""

    model: Model
    balancer: Balancer
    optimizer: torch.optim.Optimizer
    runtime: Runtime
    factors: Mapping[str, float]
    clip: float | None

    def __call__(self, batches: Sequence[Batch]) -> tuple[list[Output], dict[str, Tensor], dict[str, float | Tensor | None]] | None:
        """Make one step of all these batches together.

        Returns the outputs, each task's mean loss over the scored rows of all batches, and the weight that the balancer gave it;
        None, and no step, when no row of any batch is labelled.
        """
        rows = {task: sum(len(batch.scored[task]) for batch in batches) for task in self.factors}
        if not any(rows.values()):
            return None
        outputs: list[Output] = []
        losses: dict[str, Tensor] = {}
        weights: dict[str, float | Tensor | None] = {}
        for batch in batches:
            with self.runtime.autocast():
                output = self.model(batch)
            found = self.model.losses(output, batch, rows)
            weights |= self.balancer.backward(
                {task: loss * self.factors[task] for task, loss in found.items()},
                boundary=output.boundary,
                parameters=self.parameters,
                penalty=sum(output.penalties.values()) / len(batches) if output.penalties else None,
                scale=self.runtime.scale,
            )
            outputs.append(output)
            for task, loss in found.items():
                losses[task] = losses.get(task, 0) + loss.detach()
        self._update()
        return outputs, losses, weights

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
        """All parameters that are trained."""
        return [parameter for group in self.optimizer.param_groups for parameter in group["params"]]
