"""How many: one whole number a row, none below 0."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from mmtrain.metric import COUNT_METRICS, Evaluation, evaluate, skill
from mmtrain.option import Column, Dropout, NonNegative, Part, Range
from mmtrain.option import Count as AtLeastOne
from mmtrain.spec import TargetSpec, TaskSpec
from mmtrain.table import Table
from mmtrain.task.head import NumberHead, sizes
from mmtrain.task.numbers import train_numbers
from mmtrain.task.objective import build_loss

LEAST_RATE = 1e-9  # stands for the rate 0, of which there is no logarithm


class Count:
    """Predict a count: 0, 1, 2, ...; an empty cell is no label.

    The head predicts the logarithm of the rate; the answer is the rate, the expected count, which need not be whole. `metric` is the
    one that skill is measured in: skill in `poisson_deviance` is the share of the deviance that is explained. `unit` says what is
    counted. `hidden` is the size of the head's hidden layer, or a list of sizes; 0 is a linear head.
    """

    targets: ClassVar[str] = "counts"
    modalities: ClassVar[Sequence[str]] = ()

    def __init__(
        self,
        name: str,
        *,
        column: Column,
        loss: Part,
        weight: NonNegative = 1.0,
        metric: Literal["poisson_deviance", "mae", "rmse", "r2", "spearman"] = "poisson_deviance",
        unit: str = "",
        hidden: Annotated[int, Range(0)] | list[AtLeastOne] = 0,
        dropout: Dropout = 0.0,
    ) -> None:
        self.name, self.columns = name, [column]
        self.weight, self.metric, self.unit = weight, metric, unit
        self.hidden, self.dropout = sizes(hidden), dropout
        self._loss_part = loss

    def fit(self, table: Table) -> None:
        """Measure the constant answers.

        Raises:
            DataError: no row is labelled, or all labels are equal.
            ConfigError: the loss is not for counts.
        """
        counts = train_numbers(self.name, self.columns[0], table, self._counts)
        self._use({"mean": float(counts.mean()), "median": float(np.median(counts))}, rows=len(counts))

    def state(self) -> dict[str, Any]:
        """The constant answers, and the number of labelled train rows."""
        return {"constants": self.constants, "rows": self.rows}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Restore constant answers and loss."""
        self._use(dict(state["constants"]), rows=state["rows"])

    def _use(self, constants: dict[str, float], *, rows: int) -> None:
        self.constants, self.rows = constants, rows
        self.loss = build_loss(self._loss_part, TargetSpec(self.name), self.targets)

    @property
    def spec(self) -> TaskSpec:
        """Labelled train rows, and one number, the logarithm of the rate."""
        return TaskSpec(self.rows, bool(self.loss.gaussian), self.weight)

    def encode(self, table: Table) -> tuple[np.ndarray, np.ndarray]:
        """Counts (n,) float32, 0 where there is none, and which rows are labelled; a cell that is no count is rejected."""
        counts = self._counts(table)
        labelled = np.isfinite(counts)
        return np.where(labelled, counts, 0).astype(np.float32), labelled

    def head(self, in_dim: int, token_dims: Mapping[str, int]) -> nn.Module:
        """The logarithm of the rate, which begins at the mean of train."""
        return NumberHead(in_dim, _log_rate(self.constants["mean"]), hidden=self.hidden, dropout=self.dropout)

    def prior(self) -> Float[Tensor, ""]:
        """The logarithm of the constant answer."""
        return _log_rate(self._constant().item())

    def answer(self, prediction: Float[Tensor, " n"]) -> Float[np.ndarray, " n"]:
        """Rates."""
        return prediction.double().exp().numpy()

    def decode(self, answer: Float[np.ndarray, " n"]) -> dict[str, list[Any]]:
        """The rates."""
        return {"": answer.tolist()}

    def evaluate(self, answer: Float[np.ndarray, " n"], target: np.ndarray) -> Evaluation:
        """Metrics, the constant answer's score and skill; see `Task.evaluate`."""
        return evaluate(COUNT_METRICS, self.metric, answer, target.astype(np.float64), self._constant())

    def skill(self, answer: Float[np.ndarray, " n"], target: np.ndarray) -> float | None:
        """The skill alone; see `Task.skill`."""
        return skill(COUNT_METRICS[self.metric], answer, target.astype(np.float64), self._constant())

    def evaluate_classes(self, answer: Float[np.ndarray, " n"], target: np.ndarray) -> dict[str, Evaluation]:
        """Counts have no classes."""
        return {}

    def _constant(self) -> Float[np.ndarray, " 1"]:
        """The constant answer that is best in train for the primary metric."""
        return np.array([self.constants[COUNT_METRICS[self.metric].constant]])

    def _counts(self, table: Table) -> Float[np.ndarray, " n"]:
        """The cells as float64, NaN where there is no label; what is no count is rejected."""
        column = self.columns[0]
        counts = table.floats(column)
        wrong = (counts < 0) | (counts != np.floor(counts)) & np.isfinite(counts)
        for row in np.flatnonzero(wrong).tolist():
            table.reject(row, column, f"found '{table.frame[column][row]}', which is no count; allowed: 0, 1, 2, ...")
        return np.where(wrong, np.nan, counts)


def _log_rate(rate: float) -> Float[Tensor, ""]:
    return torch.tensor(max(rate, LEAST_RATE)).log()
