"""One class a row, out of two or more."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from mmtrain.metric import CLASS_METRICS, Evaluation, by_class, evaluate, skill
from mmtrain.option import Column, Count, Dropout, NonNegative, Part, Range
from mmtrain.spec import TargetSpec, TaskSpec
from mmtrain.table import Table
from mmtrain.task.head import ClassHead, sizes
from mmtrain.task.labels import Labels
from mmtrain.task.objective import build_loss, first_prediction


class Classification:
    """Predict one of the labels that train has: the text of the cells, an empty cell being no label.

    `metric` is the one that skill is measured in. `hidden` is the size of the head's hidden layer, or a list of sizes; 0 is a
    linear head.
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
        metric: Literal["accuracy", "balanced_accuracy", "f1_macro", "f1_weighted", "auroc", "log_loss"] = "accuracy",
        hidden: Annotated[int, Range(0)] | list[Count] = 0,
        dropout: Dropout = 0.0,
    ) -> None:
        self.name, self.columns = name, [column]
        self.weight, self.metric = weight, metric
        self.hidden, self.dropout = sizes(hidden), dropout
        self._loss_part = loss

    def fit(self, table: Table) -> None:
        """Gather and count the labels.

        Raises:
            DataError: fewer than two different labels.
            ConfigError: the loss is not for classes, or weighs a label that is not there.
        """
        self._use(Labels.fit(self.name, self.columns[0], table))

    def state(self) -> dict[str, Any]:
        """Labels and their counts."""
        return self.labels.state()

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Restore labels and loss."""
        self._use(Labels.restore(state))

    def _use(self, labels: Labels) -> None:
        self.labels = labels
        self.loss = build_loss(self._loss_part, TargetSpec(self.name, labels.counts), self.targets)

    @property
    def spec(self) -> TaskSpec:
        """Labelled train rows, whether the loss is a squared error, and a logit a class."""
        return TaskSpec(self.labels.rows, bool(self.loss.gaussian), self.weight, "classes", (len(self.labels.counts),))

    def encode(self, table: Table) -> tuple[np.ndarray, np.ndarray]:
        """Class numbers (n,) int64, -1 where train never saw the label, and which rows are labelled."""
        return self.labels.encode(table.text(self.columns[0]))

    def head(self, in_dim: int, token_dims: Mapping[str, int]) -> nn.Module:
        """One logit a class, in the order of the labels."""
        return ClassHead(in_dim, first_prediction(self.prior(), self.loss), hidden=self.hidden, dropout=self.dropout)

    def prior(self) -> Float[Tensor, " C"]:
        """Logarithms of the labels' frequencies in train."""
        return torch.from_numpy(np.log(self.labels.frequencies)).float()

    def answer(self, prediction: Float[Tensor, "n C"]) -> Float[np.ndarray, "n C"]:
        """Probabilities of the labels."""
        return prediction.double().softmax(1).numpy()

    def decode(self, answer: Float[np.ndarray, "n C"]) -> dict[str, list[Any]]:
        """The most probable label, `.confidence` (its probability) and `.p.<label>` for each label."""
        return self.labels.decode(answer)

    def evaluate(self, answer: Float[np.ndarray, "n C"], target: np.ndarray) -> Evaluation:
        """Metrics, the constant answer's score and skill; see `Task.evaluate`."""
        return evaluate(CLASS_METRICS, self.metric, answer, target, self.labels.frequencies)

    def skill(self, answer: Float[np.ndarray, "n C"], target: np.ndarray) -> float | None:
        """The skill alone; see `Task.skill`."""
        return skill(CLASS_METRICS[self.metric], answer, target, self.labels.frequencies)

    def evaluate_classes(self, answer: Float[np.ndarray, "n C"], target: np.ndarray) -> dict[str, Evaluation]:
        """Precision, recall, F1 and rows of each label."""
        return dict(zip(self.labels.counts, by_class(answer, target), strict=True))
