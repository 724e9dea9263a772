"""The slower modality is drawn to its classes' prototypes."""

from collections.abc import Mapping
from typing import ClassVar

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from mmtrain.batch import FUSED, Tokens
from mmtrain.errors import ConfigError, Problem, nearest
from mmtrain.modality_balance.method import Losses, ModalityBalance, Pass
from mmtrain.modality_balance.others import mean_of_others, mean_over, note_of_one, scored_with
from mmtrain.modality_balance.prototypes import Prototypes
from mmtrain.modality_balance.window import Window
from mmtrain.option import Count, Fraction, NonNegative
from mmtrain.spec import TaskSpec

SMALLEST = 1e-12  # score that is divided by


class PMR(ModalityBalance):
    """Judge each modality by the prototypes of its classes; pull the slower one to them, and keep the faster one from settling early.

    A prototype is the mean over a class's rows of what the modality's encoder says, itself a mean over tokens; the probability of
    a class is the softmax of minus the Euclidean distances to all of them. With ratio the mean probability of the true class over the
    rows that have the modality, to the mean of the others', the penalties of a task are
    `alpha` * clip(1 / ratio - 1, 0, 1) * prototype cross entropy, which speeds a slow modality up, and in the first `entropy_epochs`
    of the window - `entropy` * clip(ratio - 1, 0, 1) * entropy of those probabilities, which holds a fast one back. Both are means
    over tasks: all with classes, or `task` alone.

    Source: Fan et al. 2023, PMR: Prototypical Modal Rebalance, section 3: prototypes, the prototype cross entropy and its
    coefficients, and the entropy regularisation. There are two modalities there and one task. Prototypes are there computed between
    epochs, from a part of the rows; ours are gathered while an epoch trains, from all of them, and first used in the epoch after it,
    `momentum` of the old ones being kept. Under mixing a row counts for its own label, which is at least half of it.

    Raises:
        ConfigError: no task has classes, or `task` is none that has.
    """

    one_process: ClassVar[bool] = True

    def __init__(
        self,
        dims: Mapping[str, int],
        tasks: Mapping[str, TaskSpec],
        *,
        alpha: NonNegative = 0.6,
        entropy: NonNegative = 0.1,
        entropy_epochs: Count = 3,
        momentum: Fraction = 0.5,
        task: str | None = None,
        first_epoch: Count = 1,
        last_epoch: Count | None = None,
    ) -> None:
        super().__init__()
        self.notes = note_of_one("pmr", dims)
        self.alpha, self.entropy, self.momentum = alpha, entropy, momentum
        self.window = Window(first_epoch, last_epoch)
        self.early = Window(first_epoch, first_epoch + entropy_epochs - 1)
        self.gathering = self.active = self.restraining = False
        self.modalities, self.tasks = sorted(dims), _chosen(tasks, task)
        classes = {name: 2 if tasks[name].prediction == "binary" else tasks[name].shape[0] for name in self.tasks}
        self.prototypes = {(name, part): Prototypes(classes[name], dims[part]) for name in self.tasks for part in self.modalities}
        self.parts = nn.ModuleList(self.prototypes.values())  # names may hold what torch allows in no buffer's name

    @property
    def view_weights(self) -> dict[str, dict[str, float]]:
        """As `model.auxiliary` says."""
        return {}

    def start_epoch(self, epoch: int) -> None:
        """Look what is to be done in the epoch: prototypes are gathered one epoch before they are used."""
        several = len(self.modalities) > 1
        self.active, self.gathering = several and epoch in self.window, several and epoch + 1 in self.window
        self.restraining = self.active and epoch in self.early

    def adapt(self, given: Pass) -> tuple[Mapping[str, Shaped[Tensor, "B ..."]], dict[str, Float[Tensor, ""]]]:
        """The predictions as they are, and the two penalties."""
        if not (self.active or self.gathering):
            return given.predictions, {}
        device = given.batch.rows.device.type
        with torch.autocast(device, enabled=False):
            pooled = {name: _pooled(given.tokens[name]) for name in self.modalities}
            scored = [task for task in self.tasks if len(given.batch.scored[task][FUSED])]
            found = [self._penalties(given, task, pooled) for task in scored] if self.active else []
            for task in scored if self.gathering else ():
                self._gather(given, task, pooled)
        if not found:
            return given.predictions, {}
        speed, restraint = torch.stack(found).mean(0).unbind()
        penalties = {"modality_balance/prototype": self.alpha * speed}
        if self.restraining:
            penalties["modality_balance/entropy"] = -self.entropy * restraint
        return given.predictions, penalties

    def _penalties(self, given: Pass, task: str, pooled: Mapping[str, Float[Tensor, "B _"]]) -> Float[Tensor, " 2"]:
        """The weighted sums over the modalities of prototype cross entropy and of entropy."""
        rows = given.batch.scored[task][FUSED]
        labels = given.batch.targets[task][rows].long()
        parts, judged = [], []
        for name in self.modalities:
            prototypes = self.prototypes[task, name]
            usable = scored_with(given, task, name) & prototypes.known[labels]
            logs = prototypes.logits(pooled[name][rows]).log_softmax(1)
            true = logs.gather(1, labels[:, None]).squeeze(1)
            entropy = -(logs.exp() * logs).sum(1)
            parts.append(torch.stack([mean_over(values, usable) for values in (true.exp().detach(), -true, entropy)]))
            judged.append(usable.any())
        scores, losses, entropies = torch.stack(parts).unbind(1)
        others, comparable = mean_of_others(scores, torch.stack(judged))
        ratio = (scores.clamp(min=SMALLEST) / others.clamp(min=SMALLEST)).detach()
        slow = torch.where(comparable, (1 / ratio - 1).clamp(0, 1), 0.0)
        fast = torch.where(comparable, (ratio - 1).clamp(0, 1), 0.0)
        return torch.stack([(slow * losses).sum(), (fast * entropies).sum()])

    def _gather(self, given: Pass, task: str, pooled: Mapping[str, Float[Tensor, "B _"]]) -> None:
        rows = given.batch.scored[task][FUSED]
        labels = given.batch.targets[task][rows].long()
        for name in self.modalities:
            self.prototypes[task, name].gather(pooled[name][rows].detach(), labels, scored_with(given, task, name))

    def after_backward(self, encoders: Mapping[str, nn.Module]) -> None:
        """Nothing to do."""

    def epoch_end(self, train: Losses, val: Losses) -> None:
        """Renew the prototypes."""
        for prototypes in self.prototypes.values():
            prototypes.renew(self.momentum)


def _chosen(tasks: Mapping[str, TaskSpec], task: str | None) -> list[str]:
    able = sorted(
        name
        for name, spec in tasks.items()
        if spec.whole and (spec.prediction == "classes" or (spec.prediction == "binary" and spec.shape == ()))
    )
    if not able:
        found = "pmr needs prototypes of classes, and no task has any"
        raise ConfigError(Problem("", found, "choose another one, as modality_balance=ogm_ge"))
    if task is not None and task not in able:
        raise ConfigError(Problem("task", f"'{task}' is no task with classes", nearest(task, able)))
    return able if task is None else [task]


def _pooled(tokens: Tokens) -> Float[Tensor, "B D"]:
    """The mean over a row's tokens, 0 where it has none."""
    values = torch.where(tokens.mask[..., None], tokens.values.float(), 0.0)
    return values.sum(1) / tokens.mask.sum(1).clamp(min=1)[:, None]
