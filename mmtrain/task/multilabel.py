"""Any number of labels a row."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from mmtrain.errors import ConfigError, Problem
from mmtrain.metric import SET_METRICS, Evaluation, by_label, evaluate, skill
from mmtrain.option import Column, Count, Dropout, NonNegative, Part, Range
from mmtrain.spec import TargetSpec, TaskSpec
from mmtrain.table import Table
from mmtrain.task.head import ClassHead, sizes
from mmtrain.task.objective import build_loss
from mmtrain.task.sets import Sets, read_sets

MARGIN = 1e-3  # past a half, of a probability of the constant answer that has to lie on the other side

Probabilities = Float[np.ndarray, "n C"]


class Multilabel:
    """Predict which labels a row has: none, one, or several of those that train has, with one logit each.

    A cell is a list (Parquet, JSON lines), a list in JSON, or text that is split at `separator`; an empty cell is no label, `[]` says
    that the row has none of them. Answered are the labels with a probability above a half, written as the train cells are.
    `metric` is the one that skill is measured in: `average_precision` (the mean over labels) needs no threshold; `accuracy` is of
    whole sets, `hamming` the share of wrong pairs of row and label. `hidden` is the size of the head's hidden layer, or a list of
    sizes; 0 is a linear head.
    """

    targets: ClassVar[str] = "sets"
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
        separator: str = ",",
        metric: Literal["average_precision", "f1_micro", "f1_macro", "accuracy", "hamming"] = "average_precision",
        hidden: Annotated[int, Range(0)] | list[Count] = 0,
        dropout: Dropout = 0.0,
    ) -> None:
        if not separator:
            raise ConfigError(Problem(f"tasks.{name}.separator", "is empty", "give what stands between two labels, as ','"))
        self.name, self.columns = name, [column]
        self.weight, self.metric, self.separator = weight, metric, separator
        self.hidden, self.dropout = sizes(hidden), dropout
        self._loss_part = loss

    def fit(self, table: Table) -> None:
        """Gather and count the labels.

        Raises:
            DataError: no row is labelled, or all rows have the same labels.
            ConfigError: the loss is not for sets.
        """
        self._use(Sets.fit(self.name, self.columns[0], table, self.separator))

    def state(self) -> dict[str, Any]:
        """Labels and their counts, labelled rows, and the commonest set."""
        return self.labels.state()

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Restore labels and loss."""
        self._use(Sets.restore(state))

    def _use(self, labels: Sets) -> None:
        self.labels = labels
        self.loss = KnownLabels(build_loss(self._loss_part, TargetSpec(self.name, labels.counts), self.targets))

    @property
    def spec(self) -> TaskSpec:
        """Labelled train rows, and the logits of as many yes-or-no questions as there are labels."""
        return TaskSpec(self.labels.rows, bool(self.loss.loss.gaussian), self.weight, "binary", (len(self.labels.counts),))

    def encode(self, table: Table) -> tuple[np.ndarray, np.ndarray]:
        """(n, C + 1) int64: 1 where the row has the label, and a last column that is -1 where it has one that train never saw; and
        which rows are labelled. A cell that is no set of labels is rejected."""
        return self.labels.encode(read_sets(table, self.columns[0], self.separator))

    def head(self, in_dim: int, token_dims: Mapping[str, int]) -> nn.Module:
        """One logit a label, which begins at the label's frequency."""
        return ClassHead(in_dim, _logits(self._frequencies()), hidden=self.hidden, dropout=self.dropout)

    def prior(self) -> Float[Tensor, " C"]:
        """Logits of the labels' frequencies in train; where the best constant set has a label that is rarer than a half, or lacks one
        that is not, those of a probability just past a half."""
        frequencies, chosen = self._frequencies(), self._constant_set()
        if chosen is not None:
            frequencies = np.where(chosen, frequencies.clip(min=0.5 + MARGIN), frequencies.clip(max=0.5 - MARGIN))
        return _logits(frequencies)

    def answer(self, prediction: Float[Tensor, "n C"]) -> Probabilities:
        """Probabilities of the labels, each for itself."""
        logits = prediction.double()
        # torch's sigmoid rounds a number differently by its place in memory; then equal rows would not be equally probable
        return torch.stack([torch.zeros_like(logits), logits], 2).softmax(2)[..., 1].numpy()

    def decode(self, answer: Probabilities) -> dict[str, list[Any]]:
        """The labels above a half, and `.p.<label>` for each label."""
        return self.labels.decode(answer, self.separator)

    def evaluate(self, answer: Probabilities, target: np.ndarray) -> Evaluation:
        """Metrics, the constant answer's score and skill; see `Task.evaluate`."""
        return evaluate(SET_METRICS, self.metric, answer, target, self._constant())

    def skill(self, answer: Probabilities, target: np.ndarray) -> float | None:
        """The skill alone; see `Task.skill`."""
        return skill(SET_METRICS[self.metric], answer, target, self._constant())

    def evaluate_classes(self, answer: Probabilities, target: np.ndarray) -> dict[str, Evaluation]:
        """Precision, recall, F1 and rows of each label."""
        return dict(zip(self.labels.counts, by_label(answer, target), strict=True))

    def _constant(self) -> Float[np.ndarray, " C"]:
        return self.answer(self.prior()[None])[0]

    def _frequencies(self) -> Float[np.ndarray, " C"]:
        """Of the labels, half a row away from never and always, which no logit can say."""
        half = 0.5 / self.labels.rows
        return self.labels.frequencies.clip(half, 1 - half)

    def _constant_set(self) -> np.ndarray | None:
        """Whether each label is in the set that is best in train for the primary metric, (C,) bool; None where no set is asked for."""
        frequencies = self.labels.frequencies
        match self.metric:
            case "accuracy":
                return np.array([label in self.labels.commonest for label in self.labels.counts])
            case "hamming":
                return frequencies > 0.5
            case "f1_macro":  # 2 p / (1 + p) of a label that is always answered, 0 of one that never is
                return np.ones(len(frequencies), bool)
            case (
                "f1_micro"
            ):  # the k most frequent labels: k true ones are expected to be answered, of which the sum of their shares is right
                falling = np.sort(frequencies)[::-1]
                best = (2 * falling.cumsum() / (np.arange(len(falling)) + 1 + frequencies.sum())).argmax()
                return frequencies >= falling[best]
        return None


class KnownLabels(nn.Module):
    """Shows a loss of sets the labels that train knows."""

    def __init__(self, loss: nn.Module) -> None:
        super().__init__()
        self.loss = loss

    def forward(self, prediction: Float[Tensor, "K C"], target: Int[Tensor, "K _"]) -> Float[Tensor, " K"]:
        """Loss of each row."""
        return self.loss(prediction, target[:, :-1])


def _logits(probabilities: Float[np.ndarray, " C"]) -> Float[Tensor, " C"]:
    return torch.from_numpy(probabilities).logit().float()
