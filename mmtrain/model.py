"""The model: a batch in, one prediction a task out.

encoders -> missing -> fusion -> sharing -> heads -> decision, all chosen elsewhere; this file only joins them. A view is one stream
of predictions: fusion gives one or several, each has its own sharing and heads, and the decision makes one prediction of them.
"""

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
        tokens = {name: self._tokens(name, batch) for name in self.encoder}
        penalties = _penalties(tokens)
        tokens, present = self.missing(tokens, batch.present)
        views: dict[str, Fused] = self.fusion(tokens, present)
        penalties |= _penalties(views)
        answers = {view: fused.present & _originally(batch, view) for view, fused in views.items()}
        boundary: list[Tensor] = []
        predictions: dict[str, dict[str, Tensor]] = {name: {} for name in self.head}
        for view, fused in views.items():
            sharing = self.sharing[view]
            features = sharing.shared(fused.vector)
            boundary.append(features)
            for name in self.head:
                vector = sharing.split(features, fused.vector, name)
                predictions[name][view] = self.head[name][view](vector, fused)
        decided = {name: self.decision(found, answers, getattr(self, f"prior_{name}")) for name, found in predictions.items()}
        return Output(decided, predictions, answers, boundary, penalties)

    def losses(self, output: Output, batch: Batch, rows: Mapping[str, int]) -> dict[str, Float[Tensor, ""]]:
        """Each task's loss on this batch: the sum over its scored rows, divided by `rows[task]`.

        `rows` counts the scored rows of everything that makes one step, so that the losses of accumulated batches add up to
        the mean. A task without scored rows here is left out. Losses are computed in float32.
        """
        losses = {}
        for name in self.tasks:
            scored = batch.scored[name]
            if len(scored) == 0:
                continue
            target = batch.targets[name][scored]
            total = self.loss[name](output.predictions[name][scored].float(), target).sum()
            if self.auxiliary > 0:
                total = total + self.auxiliary * self._auxiliary(self.loss[name], output.views[name], output.answers, scored, target)
            losses[name] = total / rows[name]
        return losses

    def _auxiliary(
        self, loss: nn.Module, views: Mapping[str, Tensor], answers: Mapping[str, Tensor], scored: Tensor, target: Tensor
    ) -> Tensor:
        """Mean over the other views of their mean loss over the rows that they speak for, times the scored rows."""
        means = []
        for view, prediction in views.items():
            chosen = answers[view][scored].nonzero().squeeze(1)
            if view != FUSED and len(chosen) > 0:
                means.append(loss(prediction[scored[chosen]].float(), target[chosen]).mean())
        return torch.stack(means).mean() * len(scored) if means else target.new_zeros((), dtype=torch.float32)

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


def _penalties(found: Mapping[str, Tokens] | Mapping[str, Fused]) -> dict[str, Tensor]:
    return {f"{place}.{name}": penalty for place, part in found.items() for name, penalty in part.penalties.items()}
