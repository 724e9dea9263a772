"""One label a row, out of labels that have an order."""

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from mmtrain.errors import ConfigError, Problem, nearest
from mmtrain.metric import RANK_METRICS, Evaluation, by_class, evaluate, skill
from mmtrain.option import Column, Count, Dropout, NonNegative, Part, Range
from mmtrain.spec import TargetSpec, TaskSpec
from mmtrain.table import Table
from mmtrain.task.head import OrdinalHead, sizes
from mmtrain.task.labels import Labels, number_of
from mmtrain.task.objective import build_loss, first_prediction

Probabilities = Float[np.ndarray, "n C"]


class Ordinal:
    """Predict one of several ordered labels by proportional odds (see `OrdinalHead`); an empty cell is no label.

    `order` lists the labels from the lowest to the highest; numbers need none, they go by their value. Labels that train does not
    have are left out of it: ranks count those that train has. The label answered is the median, the first at which the probabilities
    add up to a half, which keeps the distance of ranks small; under `metric: accuracy` it is the most probable one. All metrics are
    taken of that label. `metric` is the one that skill is measured in; `kappa` has quadratic weights. `hidden` is the size of
    the head's hidden layer, or a list of sizes; 0 is a linear head.
    """

    targets: ClassVar[str] = "classes"
    modalities: ClassVar[Sequence[str]] = ()
    unit: ClassVar[str] = ""

    def __init__(
        self,
        name: str,
        *,
        column: Column,
        loss: Part,
        weight: NonNegative = 1.0,
        order: list[str | int | float] | None = None,
        metric: Literal["mae", "accuracy", "kappa", "spearman"] = "mae",
        hidden: Annotated[int, Range(0)] | list[Count] = 0,
        dropout: Dropout = 0.0,
    ) -> None:
        self.name, self.columns = name, [column]
        self.weight, self.metric = weight, metric
        self.order = None if order is None else [str(label) for label in order]  # YAML reads the label 1 as a number
        self.hidden, self.dropout = sizes(hidden), dropout
        self._loss_part = loss

    def fit(self, table: Table) -> None:
        """Gather the labels, in their order, and count them.

        Raises:
            DataError: fewer than two different labels.
            ConfigError: labels are words and `order` is not given, or lacks one, or names one twice; the loss is not for classes.
        """
        labels = Labels.fit(self.name, self.columns[0], table)
        self._use(Labels({label: labels.counts[label] for label in self._ordered(list(labels.counts))}))

    def state(self) -> dict[str, Any]:
        """The labels in their order, and their counts."""
        return self.labels.state()

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Restore labels and loss."""
        self._use(Labels.restore(state))

    def _use(self, labels: Labels) -> None:
        self.labels = labels
        self.loss = build_loss(self._loss_part, TargetSpec(self.name, labels.counts), self.targets)

    @property
    def spec(self) -> TaskSpec:
        """Labelled train rows, and a log probability a label, which is a logit like another."""
        return TaskSpec(self.labels.rows, bool(self.loss.gaussian), self.weight, "classes", (len(self.labels.counts),))

    def encode(self, table: Table) -> tuple[np.ndarray, np.ndarray]:
        """Ranks (n,) int64, -1 where train never saw the label, and which rows are labelled."""
        return self.labels.encode(table.text(self.columns[0]))

    def head(self, in_dim: int, token_dims: Mapping[str, int]) -> nn.Module:
        """The log probabilities of the labels, from one score and ordered thresholds."""
        return OrdinalHead(in_dim, first_prediction(self._log_frequencies(), self.loss), hidden=self.hidden, dropout=self.dropout)

    def prior(self) -> Float[Tensor, " C"]:
        """Logarithms of the labels' frequencies in train."""
        return self._log_frequencies()

    def answer(self, prediction: Float[Tensor, "n C"]) -> Probabilities:
        """Probabilities of the labels."""
        return prediction.double().softmax(1).numpy()

    def decode(self, answer: Probabilities) -> dict[str, list[Any]]:
        """The label, `.confidence` (its probability) and `.p.<label>` for each label."""
        ranks = self._chosen(answer)
        names = list(self.labels.counts)
        chosen = {"": [names[rank] for rank in ranks], ".confidence": answer[np.arange(len(answer)), ranks].tolist()}
        return self.labels.decode(answer) | chosen

    def evaluate(self, answer: Probabilities, target: np.ndarray) -> Evaluation:
        """Metrics of the answered label, the constant answer's score and skill; see `Task.evaluate`."""
        return evaluate(RANK_METRICS, self.metric, self._answered(answer), target, self._constant())

    def skill(self, answer: Probabilities, target: np.ndarray) -> float | None:
        """The skill alone; see `Task.skill`."""
        return skill(RANK_METRICS[self.metric], self._answered(answer), target, self._constant())

    def evaluate_classes(self, answer: Probabilities, target: np.ndarray) -> dict[str, Evaluation]:
        """Precision, recall, F1 and rows of each label, by the label that is answered."""
        chosen = np.where(np.isfinite(answer), np.eye(answer.shape[1])[self._chosen(answer)], np.nan)
        return dict(zip(self.labels.counts, by_class(chosen, target), strict=True))

    def _log_frequencies(self) -> Float[Tensor, " C"]:
        return torch.from_numpy(np.log(self.labels.frequencies)).float()

    def _constant(self) -> Float[np.ndarray, " 2"]:
        """The rank that the constant answer, the frequencies in train, comes to, and its frequency."""
        return self._answered(self.answer(self.prior()[None]))[0]

    def _answered(self, answer: Probabilities) -> Float[np.ndarray, "n 2"]:
        """Ranks of the answered labels, as floats, and their probabilities: NaN where a probability is none."""
        ranks = self._chosen(answer)
        chosen = np.stack([ranks.astype(np.float64), answer[np.arange(len(answer)), ranks]], 1)
        return np.where(np.isfinite(answer).all(1, keepdims=True), chosen, np.nan)

    def _chosen(self, answer: Probabilities) -> Int[np.ndarray, " n"]:
        return answer.argmax(1) if self.metric == "accuracy" else median(answer)

    def _ordered(self, labels: Sequence[str]) -> list[str]:
        where = f"tasks.{self.name}.order"
        if self.order is None:
            words = [label for label in labels if not math.isfinite(number_of(label))]
            if words:
                found = f"has to be given: '{words[0]}' is no number, and words have no order of their own"
                raise ConfigError(Problem(where, found, f"list the labels of column '{self.columns[0]}' from the lowest to the highest"))
            return list(labels)
        twice = sorted({label for label in self.order if self.order.count(label) > 1})
        problems = [Problem(where, f"names '{label}' twice") for label in twice]
        problems += [
            Problem(where, f"lacks '{label}', which train has", nearest(label, self.order)) for label in labels if label not in self.order
        ]
        if problems:
            raise ConfigError(*problems)
        return [label for label in self.order if label in labels]


def median(answer: Probabilities) -> Int[np.ndarray, " n"]:
    """The first class at which the probabilities add up to a half; a hair is allowed for rounding."""
    return (answer.cumsum(1) >= 0.5 - 1e-9).argmax(1)
