"""The model: a batch in, one prediction a task out.

augmentation -> encoders -> mixing -> missing -> fusion -> sharing -> heads -> decision, all chosen elsewhere; this file only joins
them. A view is one stream of predictions: fusion gives one or several, each has its own sharing and heads, and the decision makes one
prediction of them.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from mmtrain.batch import FUSED, Batch, Fused, Image, Tokens, take
from mmtrain.mixing import Mix
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
    after balancing. `mix` says which rows were mixed in training.
    """

    predictions: Mapping[str, Tensor]
    views: Mapping[str, Mapping[str, Tensor]]
    answers: Mapping[str, Bool[Tensor, " B"]]
    boundary: Sequence[Tensor]
    penalties: Mapping[str, Float[Tensor, ""]] = field(default_factory=dict)
    mix: Mix | None = None


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
        augmentation: Mapping[str, nn.Module],
        encoder: Mapping[str, nn.Module],
        mixing: Any,
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
        self.augmentation = Named(augmentation)
        self.encoder = Named(encoder)
        self.mixing = mixing
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

    @property
    def notes(self) -> list[str]:
        """What the user should know before training."""
        alone = self.auxiliary > 0 and set(self.fusion.views) == {FUSED}
        return [f"model.auxiliary={self.auxiliary:g} has no effect: the fusion has the one view '{FUSED}'"] if alone else []

    def forward(self, batch: Batch) -> Output:
        """Predict every task for every row; rows without any modality get the task's prior from train."""
        mix = self.mixing(batch.present) if self.training else None
        tokens, present = self.missing({name: self._tokens(name, batch, mix) for name in self.encoder}, batch.present)
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
        return Output(decided, predictions, answers, boundary, penalties, mix)

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
            losses[name] = self._mean(name, FUSED, output, batch, rows)
            others = [view for view in output.views[name] if view != FUSED and rows[name][view] > 0]
            if self.auxiliary > 0 and others:
                means = [self._mean(name, view, output, batch, rows) for view in others]
                losses[name] = losses[name] + self.auxiliary * torch.stack(means).mean()
        return losses

    def _mean(self, task: str, view: str, output: Output, batch: Batch, rows: Rows) -> Float[Tensor, ""]:
        """The mean loss of a view's scored rows.

        Where the partner of a mixed row is scored too, the row's loss is that of both targets, by their shares; of numbers the targets
        themselves are mixed: the sum of two absolute losses is smallest at the nearer target, whatever the shares.
        """
        scored, target, mix = batch.scored[task][view], batch.targets[task], output.mix
        prediction = (output.predictions[task] if view == FUSED else output.views[task][view])[scored].float()
        own, loss = target[scored], self.loss[task]
        if mix is None:
            return loss(prediction, own).sum() / rows[task][view]
        usable = torch.zeros(len(batch), dtype=torch.bool, device=scored.device).index_fill(0, scored, True)
        partner, share = mix.partner[scored], mix.share[scored]
        other = target[torch.where(usable[partner], partner, scored)]
        if target.is_floating_point():
            losses = loss(prediction, own + (1 - share) * (other - own))
        else:
            losses = share * loss(prediction, own) + (1 - share) * loss(prediction, other)
        return losses.sum() / rows[task][view]

    def _encoded(self, name: str, inputs: Any, mix: Mix | None, device: torch.device) -> Tokens:
        """Tokens of rows that have the modality. Pictures are mixed as pixels, other kinds as tokens."""
        inputs = self.modality[name](inputs)
        if self.training and name in self.augmentation:
            with torch.autocast(device.type, enabled=False):
                inputs = self.augmentation[name](inputs)
        if mix is None:
            return self.encoder[name](inputs)
        if isinstance(inputs, Image):
            return self.encoder[name](mix.pictures(inputs))
        return mix.tokens(self.encoder[name](inputs))

    def _tokens(self, name: str, batch: Batch, mix: Mix | None) -> Tokens:
        """Encode the rows that have the modality and put the tokens back in their places; all other places are exactly 0."""
        index, rows = batch.index[name], len(batch)
        if len(index) == 0:
            values = torch.zeros(rows, 0, self.encoder[name].out_dim, device=index.device)
            return Tokens(values, torch.zeros(rows, 0, dtype=torch.bool, device=index.device))
        inputs = batch.inputs[name] if len(index) == rows else take(batch.inputs[name], index)
        tokens = self._encoded(name, inputs, None if mix is None else mix.take(index), index.device)
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
