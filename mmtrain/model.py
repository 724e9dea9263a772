"""The model: a batch in, one prediction a task out.

augmentation -> encoders -> mixing -> missing -> fusion -> sharing -> heads -> decision, all chosen elsewhere; this file only joins
them. A view is one stream of predictions: fusion gives one or several, each has its own sharing and heads, and the decision makes one
prediction of them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from mmtrain.batch import FUSED, Batch, Fused, Gate, Image, Tokens, take
from mmtrain.encoder.pieces import by_word
from mmtrain.errors import ConfigError, Problem
from mmtrain.mixing import Mix
from mmtrain.modality import Modality
from mmtrain.option import NonNegative, Part
from mmtrain.task import Task
from mmtrain.task.given import entire_space

Present = Mapping[str, Bool[Tensor, " B"]]


@dataclass(frozen=True)
class Output:
    """What one forward pass gives.

    `predictions[t]` is the decision of task t, (B, ...); `views[t][v]` the prediction of one view and `answers[v]` the
    rows that view v speaks for; `boundary` every tensor that several tasks read; `tokens` and `present` what the fusion was
    given, and `real` what of that is no stand-in; `penalties` scalars that join the loss after balancing; `gates[t, v]` how task t
    weighed what tasks share, where it does. `mix` says which rows were mixed in training.
    """

    predictions: Mapping[str, Tensor]
    views: Mapping[str, Mapping[str, Tensor]]
    answers: Mapping[str, Bool[Tensor, " B"]]
    boundary: Sequence[Tensor]
    tokens: Mapping[str, Tokens]
    present: Present
    real: Present
    penalties: Mapping[str, Float[Tensor, ""]] = field(default_factory=dict)
    gates: Mapping[tuple[str, str], Gate] = field(default_factory=dict)
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

    `auxiliary` weighs the mean loss of the views of single modalities. `calibrate` gives each task of classes, of yes or no and of sets
    a temperature, which is found on validation once training is over; 1 until then. `sharing` is a part still to be built, once a
    view; so is `decision`, once a task. The order in which parts are called is the order in which they stand here.
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
        decision: Part,
        alignment: Any,
        *,
        auxiliary: NonNegative = 0.0,
        calibrate: bool = False,
    ) -> None:
        super().__init__()
        self.modality = Named(modality)
        self.augmentation = Named(augmentation)
        self.encoder = Named(encoder)
        self.mixing = mixing
        self.missing = missing
        self.fusion = fusion
        self.sharing = Named({view: sharing(fusion.out_dim, list(tasks)) for view in fusion.views})
        token_dims: dict[str, Any] = {name: part.out_dim for name, part in encoder.items()}
        views = {name: _speaking(fusion.views, task) for name, task in tasks.items()}
        self.head = Named(
            {name: Named({view: task.head(self.sharing[view].out_dim, token_dims) for view in views[name]}) for name, task in tasks.items()}
        )
        self.loss = Named({name: task.loss for name, task in tasks.items()})  # so that losses move with the model
        self.decision = Named({name: decision(views[name], task.spec) for name, task in tasks.items()})
        self.alignment = alignment
        self.tasks = tasks
        self.given = {name: task.spec.given for name, task in tasks.items() if task.spec.given is not None}
        self.auxiliary = auxiliary
        self.by_word = {name for task in tasks.values() for name in task.modalities if getattr(task, "by_word", False)}
        for name, task in tasks.items():
            self.register_buffer(f"prior_{name}", task.prior())
        self.calibrated = [name for name, task in tasks.items() if calibrate and getattr(task, "tempered", False)]
        for name in self.calibrated:
            self.register_buffer(f"temperature_{name}", torch.ones(()))

    def forward(self, batch: Batch) -> Output:
        """Predict every task for every row; rows without any modality get the task's prior from train."""
        mix = self.mixing(batch.present) if self.training else None
        return replace(self.answer(self.encode(batch, mix), batch.present), mix=mix)

    def encode(self, batch: Batch, mix: Mix | None = None) -> dict[str, Tokens]:
        """The tokens of every modality; where a row lacks it, exactly 0 with a false mask."""
        return {name: self._tokens(name, batch, mix) for name in self.encoder}

    def answer(self, tokens: Mapping[str, Tokens], present: Present) -> Output:
        """What comes behind the encoders, for rows that have these modalities and no others."""
        output = self.predict(*self.missing(tokens, present))
        if not self.training:
            return output
        alignment = {f"alignment/{name}": penalty for name, penalty in self.alignment(tokens, present).items()}
        return replace(output, penalties={**output.penalties, **alignment})

    def predict(self, tokens: Mapping[str, Tokens], present: Present, real: Present) -> Output:
        """From tokens to predictions; `present` counts the stand-ins of the missing policy, `real` does not."""
        views: dict[str, Fused] = self.fusion(tokens, present)
        answers = {view: fused.present & _really(real, view) for view, fused in views.items()}
        boundary: list[Tensor] = []
        predictions: dict[str, dict[str, Tensor]] = {name: {} for name in self.head}
        gates: dict[tuple[str, str], Gate] = {}
        # Heads are small and what they say is final: in bf16, numbers would stand two or three digits apart.
        with torch.autocast(next(iter(real.values())).device.type, enabled=False):
            for view, fused in views.items():
                vector, sharing = fused.vector.float(), self.sharing[view]
                features = sharing.shared(vector)
                names, logits = self._heads(view), dict[str, Tensor]()
                shown = _shown(fused, {modality for name in names for modality in self.tasks[name].modalities}, real)
                boundary += [features, *(tokens.values for tokens in shown.tokens.values())]
                for name in names:
                    own, gate = sharing.split(features, vector, name)
                    logits[name] = self.head[name][view](own, shown)
                    gates |= {} if gate is None else {(name, view): gate}
                for name, prediction in entire_space(logits, self.given).items():
                    predictions[name][view] = prediction
            decided = {name: self.decision[name](found, answers, self._prior(name)) for name, found in predictions.items()}
            if not self.training:
                decided |= {name: self._tempered(name, decided[name], answers) for name in self.calibrated}
        penalties = _penalties("tokens", tokens) | _penalties("view", views) | _gate_penalties(gates, views)
        return Output(decided, predictions, answers, boundary, tokens, present, real, penalties, gates)

    def _heads(self, view: str) -> list[str]:
        return [name for name, heads in self.head.items() if view in heads]

    def _prior(self, task: str) -> Tensor:
        return getattr(self, f"prior_{task}")

    def _tempered(self, task: str, prediction: Tensor, answers: Present) -> Tensor:
        """Logits over the temperature, but for rows that no view speaks for: the prior is what it is."""
        there = torch.stack(list(answers.values())).any(0).reshape(-1, *[1] * (prediction.ndim - 1))
        return torch.where(there, prediction / self.get_buffer(f"temperature_{task}"), prediction)

    def _encoded(self, name: str, inputs: Any, mix: Mix | None, device: torch.device) -> Tokens:
        """Tokens of rows that have the modality. Pictures are mixed as pixels, other kinds as tokens."""
        inputs = self.modality[name](inputs)
        if self.training and name in self.augmentation:
            with torch.autocast(device.type, enabled=False):
                inputs = self.augmentation[name](inputs)
        if mix is not None and isinstance(inputs, Image):
            return self.encoder[name](mix.pictures(inputs))
        tokens = self.encoder[name](inputs)
        tokens = by_word(tokens, inputs.words) if name in self.by_word else tokens
        return tokens if mix is None else mix.tokens(tokens)

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


def _speaking(views: Sequence[str], task: Task) -> list[str]:
    """The views that hold all modalities whose tokens the task reads.

    Raises:
        ConfigError: there is none.
    """
    found = [view for view in views if view == FUSED or set(task.modalities) <= {view}]
    if not found:
        wanted = f"reads {' and '.join(task.modalities)} together, and no view of this model holds all of them"
        raise ConfigError(Problem(f"tasks.{task.name}", wanted, "choose a fusion that joins modalities"))
    return found


def _shown(fused: Fused, modalities: Iterable[str], real: Present) -> Fused:
    """A view as its heads see it: the tokens of these modalities alone, none of them a stand-in, of which nothing could be said.

    The tokens are tensors of their own behind those that the fusion read: a gradient with respect to them is what heads alone ask for,
    and none of it comes by way of the vector. In float32, as all that tasks are compared at.
    """
    tokens = {}
    for name in sorted(modalities):
        found = fused.tokens[name]
        values = found.values.float()
        tokens[name] = replace(found, values=values.view_as(values), mask=found.mask & real[name][:, None])
    return replace(fused, tokens=tokens)


def _really(real: Present, view: str) -> Bool[Tensor, " B"]:
    """The rows that have what the view speaks of, whatever stand-ins the missing policy supplied."""
    return real[view] if view in real else torch.stack(list(real.values())).any(dim=0)


def _penalties(stage: str, found: Mapping[str, Tokens] | Mapping[str, Fused]) -> dict[str, Tensor]:
    return {f"{stage}/{place}/{name}": penalty for place, part in found.items() for name, penalty in part.penalties.items()}


def _gate_penalties(gates: Mapping[tuple[str, str], Gate], views: Mapping[str, Fused]) -> dict[str, Tensor]:
    """The mean of each gate's costs over the rows that its view speaks for."""
    return {
        f"sharing/{view}/{task}/{name}": torch.where(views[view].present, cost, 0).sum() / views[view].present.sum().clamp(min=1)
        for (task, view), gate in gates.items()
        for name, cost in gate.penalties.items()
    }
