"""Yes or no, with one label as the finding."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from mmtrain.errors import ConfigError, DataError, Problem, nearest
from mmtrain.metric import BINARY_METRICS, Evaluation, by_class, evaluate, skill
from mmtrain.option import Column, Count, Dropout, NonNegative, Part, Range
from mmtrain.spec import TargetSpec, TaskSpec
from mmtrain.table import Table
from mmtrain.task.given import both
from mmtrain.task.head import NumberHead, sizes
from mmtrain.task.labels import Labels
from mmtrain.task.objective import build_loss, first_prediction

USUALLY_POSITIVE = {"1", "true", "yes", "y", "t", "positive"}
SHOWN = 8  # labels that an error names


class Binary:
    """Predict which of two labels a row has, with one logit: that of the positive label.

    `positive` is the label that is looked for (`average_precision` and `f1` are about it); by default the usual one (1, true, yes, y, t,
    positive) where just one of the two is such, else the last in order. `metric` is the one that skill is measured in.
    `hidden` is the size of the head's hidden layer, or a list of sizes; 0 is a linear head.

    `given` names another binary task that has to be positive first, as a click before a conversion. The head then predicts
    p(this | given), while the task is p(this and given): that is what its loss, on all rows, its metrics and its predictions are of, and
    gradients go into both heads. A row is labelled as soon as the cells of both tasks settle it: negative where one of them is,
    whatever the other says; positive where both are; else not labelled. So a row without a click needs no cell for its conversion.

    Source: Ma et al. 2018, Entire Space Multi-Task Model, equations 2 to 4.
    """

    targets: ClassVar[str] = "classes"
    modalities: ClassVar[Sequence[str]] = ()
    unit: ClassVar[str] = ""
    tempered: ClassVar[bool] = True

    def __init__(
        self,
        name: str,
        *,
        column: Column,
        loss: Part,
        weight: NonNegative = 1.0,
        positive: str | int | None = None,
        given: str | None = None,
        metric: Literal["accuracy", "balanced_accuracy", "f1_macro", "f1_weighted", "auroc", "log_loss", "average_precision"] = "auroc",
        hidden: Annotated[int, Range(0)] | list[Count] = 0,
        dropout: Dropout = 0.0,
    ) -> None:
        self.name, self.columns = name, [column]
        self.weight, self.metric = weight, metric
        self.positive = None if positive is None else str(positive)  # YAML reads the label 1 as a number
        self.hidden, self.dropout = sizes(hidden), dropout
        self.given = given
        self.parent: Binary | None = None  # the task that `given` names, known once all tasks are built
        self._loss_part = loss

    def fit(self, table: Table) -> None:
        """Find the two labels and count them.

        Raises:
            DataError: train has another number of labels than two; or both tasks together are positive in no row.
            ConfigError: `positive` is neither of them; the loss is not for classes, or weighs a label that is not there.
        """
        labels = Labels.fit(self.name, self.columns[0], table)
        if len(labels.counts) > 2:
            raise DataError(self._too_many(list(labels.counts)))
        positive = self._positive(list(labels.counts))
        labels = Labels({label: labels.counts[label] for label in sorted(labels.counts, key=lambda label: label == positive)})
        assert (self.given is None) == (self.parent is None)
        if self.parent is None:
            self._use(labels)
        else:
            self._use(*self._entire_space(self.parent, labels, table))

    def state(self) -> dict[str, Any]:
        """The labels, the positive one last, and their counts; under `given` those of both tasks together, and the `share` of
        positive rows among those where the other task is."""
        return self.labels.state() | ({} if self.share is None else {"share": self.share})

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Restore labels and loss."""
        self._use(Labels.restore(state), state.get("share"))

    def _use(self, labels: Labels, share: float | None = None) -> None:
        self.labels, self.share = labels, share
        loss = build_loss(self._loss_part, TargetSpec(self.name, labels.counts), self.targets)
        if self.given is not None and getattr(loss, "offset", None) is not None:
            found = f"it asks of both to be as likely as not, and p({self.name} and {self.given}) cannot be more than p({self.given})"
            raise ConfigError(Problem(f"tasks.{self.name}.loss", found, "choose cross_entropy or focal"))
        self.loss = TwoClasses(loss)

    @property
    def spec(self) -> TaskSpec:
        """Labelled train rows, whether the loss is a squared error, and one logit."""
        return TaskSpec(self.labels.rows, bool(self.loss.loss.gaussian), self.weight, "binary", given=self.given)

    def encode(self, table: Table) -> tuple[np.ndarray, np.ndarray]:
        """0 or 1 for the positive label, (n,) int64, -1 where train never saw the label, and which rows are labelled."""
        own = self.labels.encode(table.text(self.columns[0]))
        return own if self.parent is None else both(*self.parent.encode(table), *own)

    def head(self, in_dim: int, token_dims: Mapping[str, int]) -> nn.Module:
        """The logit of the positive label; under `given`, where the other task is positive."""
        if self.share is not None:
            return NumberHead(in_dim, torch.tensor(self.share).logit(), hidden=self.hidden, dropout=self.dropout)
        negative, positive = first_prediction(two_logits(self.prior()[None])[0], self.loss.loss)
        return NumberHead(in_dim, positive - negative, hidden=self.hidden, dropout=self.dropout)

    def prior(self) -> Float[Tensor, ""]:
        """The logit of the positive label's frequency in train."""
        negative, positive = self.labels.frequencies
        return torch.tensor(float(np.log(positive / negative)))

    def answer(self, prediction: Float[Tensor, " n"]) -> Float[np.ndarray, "n 2"]:
        """Probabilities of the negative and the positive label."""
        return two_logits(prediction.double()).softmax(1).numpy()

    def decode(self, answer: Float[np.ndarray, "n 2"]) -> dict[str, list[Any]]:
        """The more probable label, `.confidence` (its probability) and `.p.<label>` for both."""
        return self.labels.decode(answer)

    def evaluate(self, answer: Float[np.ndarray, "n 2"], target: np.ndarray) -> Evaluation:
        """Metrics, the constant answer's score and skill; see `Task.evaluate`."""
        return evaluate(BINARY_METRICS, self.metric, answer, target, self.labels.frequencies)

    def skill(self, answer: Float[np.ndarray, "n 2"], target: np.ndarray) -> float | None:
        """The skill alone; see `Task.skill`."""
        return skill(BINARY_METRICS[self.metric], answer, target, self.labels.frequencies)

    def evaluate_classes(self, answer: Float[np.ndarray, "n 2"], target: np.ndarray) -> dict[str, Evaluation]:
        """Precision, recall, F1 and rows of each label."""
        return dict(zip(self.labels.counts, by_class(answer, target), strict=True))

    def _entire_space(self, parent: "Binary", labels: Labels, table: Table) -> tuple[Labels, float]:
        """The labels with the counts of both tasks together, and the share of positive rows among those where the other task is."""
        parent.fit(table)  # it may be fitted later than this one
        condition, known = parent.encode(table)
        target, labelled = both(condition, known, *labels.encode(table.text(self.columns[0])))
        negative, positive = np.bincount(target[labelled], minlength=2).tolist()
        if positive == 0:  # negative ones there are: its own labels are two, and either task's no is a no of both
            found = f"no labelled train row is positive in '{self.given}' and '{self.name}' both"
            raise DataError(Problem(f"tasks.{self.name}", found, "there is nothing to tell apart"))
        following = int((labelled & known & (condition == 1)).sum())
        return Labels(dict(zip(labels.counts, (negative, positive), strict=True))), float(positive / (following + 0.5))

    def _positive(self, labels: list[str]) -> str:
        if self.positive is not None and self.positive not in labels:
            found = f"train has no label '{self.positive}'"
            raise ConfigError(Problem(f"tasks.{self.name}.positive", found, nearest(self.positive, labels)))
        usual = [label for label in labels if label.casefold() in USUALLY_POSITIVE]
        return self.positive or (usual[0] if len(usual) == 1 else labels[-1])

    def _too_many(self, labels: list[str]) -> Problem:
        names = ", ".join(f"'{label}'" for label in labels[:SHOWN]) + (", ..." if len(labels) > SHOWN else "")
        found = f"column '{self.columns[0]}' has {len(labels)} labels in train ({names}) where a binary task has two"
        return Problem(f"tasks.{self.name}", found, f"choose task@tasks.{self.name}=classification")


class TwoClasses(nn.Module):
    """Shows one logit z to a loss of classes as the logits (0, z)."""

    def __init__(self, loss: nn.Module) -> None:
        super().__init__()
        self.loss = loss

    def forward(self, prediction: Float[Tensor, " K"], target: Int[Tensor, " K"]) -> Float[Tensor, " K"]:
        """Loss of each row."""
        return self.loss(two_logits(prediction), target)


def two_logits(prediction: Float[Tensor, " n"]) -> Float[Tensor, "n 2"]:
    """Logits of the negative label, always 0, and of the positive one."""
    return torch.stack([torch.zeros_like(prediction), prediction], 1)
