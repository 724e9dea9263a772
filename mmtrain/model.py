"""The model: a batch in, one prediction a task out.

encoders -> missing -> fusion -> sharing -> heads -> decision, all chosen elsewhere; this file only joins them. A view is one stream
of predictions: fusion gives one or several, each has its own sharing and heads, and the decision makes one prediction of them.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from mmtrain.batch import FUSED, Batch, Fused, Tokens, take
from mmtrain.modality import Modality
from mmtrain.option import NonNegative, Part
from mmtrain.task import Task

Rows = Mapping[str, Mapping[str, int]]  # how many rows are scored, by task and view


def scored_rows(batches: Iterable[Batch]) -> Rows:
    """Count the scored rows of all batches together."""
    rows: dict[str, Counter[str]] = defaultdict(Counter)
    for batch in batches:
        for task, views in batch.scored.items():
            rows[task].update({view: len(scored) for view, scored in views.items()})
    return rows


@dataclass(frozen=True)
class Output:
    """What one forward pass gives.

    `predictions[t]` is the decision of task t, (B, ...); `views[t][v]` the prediction of one view and `answers[v]` the
    rows that view v speaks for; `boundary` every tensor that several tasks read; `penalties` scalars that join the loss
    after balancing.
    """

    predictions: Mapping[str, Tensor]
    views: Mapping[str, Mapping[str, Tensor]]
    answers: Mapping[str, Bool[Tensor, " B"]]
    boundary: Sequence[Tensor]
    penalties: Mapping[str, Float[Tensor, ""]] = field(default_factory=dict)


class Named(nn.Module):
    """Parts by name. Unlike torch's ModuleDict it takes any name: a task may be called `type` or `values`."""

    def __init__(self, parts: Mapping[str, Any]) -> None:
        super().__init__()
        self._modules.update(parts)

    def __getitem__(self, name: str) -> Any:  # what can be called on it depends on the kind of part
        return self._modules[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def items(self) -> Iterable[tuple[str, Any]]:
        """Names and parts."""
        return self._modules.items()


class Model(nn.Module):
    """Joins the parts.

    `auxiliary` weighs the mean loss of the views other than the fused one (single-modality heads). `sharing` is a part still to be
    built, once a view. The order in which parts are called is the order in which they stand here.
    """

    def __init__(
        self,
        modality: Mapping[str, Modality],
        encoder: Mapping[str, nn.Module],
        missing: Any,
        fusion: Any,
        sharing: Part,
        tasks: Mapping[str, Task],
        decision: nn.Module,
        *,
        auxiliary: NonNegative = 0.0,
    ) -> None:
        super().__init__()
        self.modality = Named(modality)
        self.encoder = Named(encoder)
        self.missing = missing
        self.fusion = fusion
        self.sharing = Named({view: sharing(fusion.out_dim, list(tasks)) for view in fusion.views})
        self.head = Named(
            {name: Named({view: task.head(self.sharing[view].out_dim) for view in fusion.views}) for name, task in tasks.items()}
        )
        self.loss = Named({name: task.loss for name, task in tasks.items()})  # so that losses move with the model
        self.decision = decision
        self.tasks = tasks
        self.auxiliary = auxiliary
        for name, task in tasks.items():
            self.register_buffer(f"prior_{name}", task.prior())

    def forward(self, batch: Batch) -> Output:
        """Predict every task for every row; rows without any modality get the task's prior from train."""
        tokens, present = self.missing({name: self._tokens(name, batch) for name in self.encoder}, batch.present)
        views: dict[str, Fused] = self.fusion(tokens, present)
        answers = {view: fused.present & _originally(batch, view) for view, fused in views.items()}
        boundary: list[Tensor] = []
        predictions: dict[str, dict[str, Tensor]] = {name: {} for name in self.head}
        # Heads are small and what they say is final: in bf16, numbers would stand two or three digits apart.
        with torch.autocast(batch.rows.device.type, enabled=False):
            for view, fused in views.items():
                vector, sharing = fused.vector.float(), self.sharing[view]
                features = sharing.shared(vector)
                boundary.append(features)
                for name in self.head:
                    predictions[name][view] = self.head[name][view](sharing.split(features, vector, name), fused)
            decided = {name: self.decision(found, answers, getattr(self, f"prior_{name}")) for name, found in predictions.items()}
        penalties = _penalties("tokens", tokens) | _penalties("view", views)
        return Output(decided, predictions, answers, boundary, penalties)

    def losses(self, output: Output, batch: Batch, rows: Rows) -> dict[str, Float[Tensor, ""]]:
        """Each task's loss on this batch: that of its decision, and `auxiliary` times the mean of the other views' losses.

        A view's loss is the sum over its scored rows, divided by `rows[task][view]`: the scored rows of everything that makes one step,
        so that the losses of accumulated batches add up to the mean. A task without scored rows here is left out.
        Losses are computed in float32.
        """
        losses = {}
        for name in self.tasks:
            if len(batch.scored[name][FUSED]) == 0:
                continue
            losses[name] = self._mean(name, FUSED, output.predictions[name], batch, rows)
            others = [view for view in output.views[name] if view != FUSED and rows[name][view] > 0]
            if self.auxiliary > 0 and others:
                means = [self._mean(name, view, output.views[name][view], batch, rows) for view in others]
                losses[name] = losses[name] + self.auxiliary * torch.stack(means).mean()
        return losses

    def _mean(self, task: str, view: str, prediction: Tensor, batch: Batch, rows: Rows) -> Float[Tensor, ""]:
        scored = batch.scored[task][view]
        return self.loss[task](prediction[scored].float(), batch.targets[task][scored]).sum() / rows[task][view]

    def _tokens(self, name: str, batch: Batch) -> Tokens:
        """Encode the rows that have the modality and put the tokens back in their places; all other places are exactly 0."""
        encoder, index, rows = self.encoder[name], batch.index[name], len(batch)
        if len(index) == 0:
            values = torch.zeros(rows, 0, encoder.out_dim, device=index.device)
            return Tokens(values, torch.zeros(rows, 0, dtype=torch.bool, device=index.device))
        inputs = batch.inputs[name]
        tokens = encoder(self.modality[name](inputs if len(index) == rows else take(inputs, index)))
        values = torch.where(tokens.mask.unsqueeze(-1), tokens.values, 0)
        if len(index) == rows:
            return replace(tokens, values=values)
        mask = tokens.mask.new_zeros(rows, tokens.mask.shape[1]).index_copy(0, index, tokens.mask)
        return replace(tokens, values=values.new_zeros(rows, *values.shape[1:]).index_copy(0, index, values), mask=mask)


def _originally(batch: Batch, view: str) -> Bool[Tensor, " B"]:
    """The rows that have what the view speaks of, whatever stand-ins the missing policy supplied."""
    if view in batch.present:
        return batch.present[view]
    return torch.stack(list(batch.present.values())).any(dim=0)


def _penalties(stage: str, found: Mapping[str, Tokens] | Mapping[str, Fused]) -> dict[str, Tensor]:
    return {f"{stage}/{place}/{name}": penalty for place, part in found.items() for name, penalty in part.penalties.items()}
