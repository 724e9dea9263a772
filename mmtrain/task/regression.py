"""One number a row."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from mmtrain.metric import NUMBER_METRICS, Evaluation, evaluate, skill
from mmtrain.option import Column, Count, Dropout, NonNegative, Part, Range
from mmtrain.spec import TargetSpec, TaskSpec
from mmtrain.table import Table
from mmtrain.task.head import NumberHead, sizes
from mmtrain.task.numbers import scaled_numbers, train_numbers
from mmtrain.task.objective import build_loss
from mmtrain.task.scale import Scale


class Regression:
    """Predict a number; an empty cell is no label.

    Inside, numbers are standardised with mean and deviation of the train rows; under `scaling: log1p` it is the logarithm
    of 1 + number that is, which suits counts and amounts with a long tail (none below 0). All that is shown is in the user's
    units, with `unit` beside it. `metric` is the one that skill is measured in. `hidden` is the size of the head's hidden
    layer, or a list of sizes; 0 is a linear head.
    """

    targets: ClassVar[str] = "numbers"
    modalities: ClassVar[Sequence[str]] = ()

    def __init__(
        self,
        name: str,
        *,
        column: Column,
        loss: Part,
        weight: NonNegative = 1.0,
        metric: Literal["mae", "rmse", "r2", "spearman"] = "mae",
        scaling: Literal["standard", "log1p"] = "standard",
        unit: str = "",
        hidden: Annotated[int, Range(0)] | list[Count] = 0,
        dropout: Dropout = 0.0,
    ) -> None:
        self.name, self.columns = name, [column]
        self.weight, self.metric = weight, metric
        self.scaling, self.unit = scaling, unit
        self.hidden, self.dropout = sizes(hidden), dropout
        self._loss_part = loss

    def fit(self, table: Table) -> None:
        """Measure the scale, and the constant answers.

        Raises:
            DataError: no row is labelled, or all labels are equal.
            ConfigError: the loss is not for numbers.
        """
        numbers = train_numbers(self.name, self.columns[0], table, self._numbers)
        self._use(
            Scale.fit(self.scaling, numbers),
            {"mean": float(numbers.mean()), "median": float(np.median(numbers))},
            rows=len(numbers),
        )

    def state(self) -> dict[str, Any]:
        """The scale, the constant answers, and the number of labelled train rows."""
        return {"scale": self.scale.state(), "constants": self.constants, "rows": self.rows}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Restore scale, constant answers and loss."""
        self._use(Scale.restore(state["scale"]), dict(state["constants"]), rows=state["rows"])

    def _use(self, scale: Scale, constants: dict[str, float], *, rows: int) -> None:
        self.scale, self.constants, self.rows = scale, constants, rows
        self.loss = build_loss(self._loss_part, TargetSpec(self.name), self.targets)

    @property
    def spec(self) -> TaskSpec:
        """Labelled train rows, and whether the loss is a squared error."""
        return TaskSpec(self.rows, bool(self.loss.gaussian), self.weight)

    def encode(self, table: Table) -> tuple[np.ndarray, np.ndarray]:
        """Scaled numbers (n,) float32, 0 where there is none, and which rows are labelled; a cell that is no number is rejected."""
        numbers = self._numbers(table)
        labelled = np.isfinite(numbers)
        targets = np.zeros(len(table), np.float32)
        targets[labelled] = self.scale.scale(numbers[labelled])
        return targets, labelled

    def head(self, in_dim: int, token_dims: Mapping[str, int]) -> nn.Module:
        """The scaled number."""
        return NumberHead(in_dim, self.prior(), hidden=self.hidden, dropout=self.dropout)

    def prior(self) -> Float[Tensor, ""]:
        """The constant answer, scaled."""
        return torch.tensor(self.scale.scale(self._constant()).item())

    def answer(self, prediction: Float[Tensor, " n"]) -> Float[np.ndarray, " n"]:
        """Numbers in the user's units."""
        return self.scale.unscale(prediction.numpy())

    def decode(self, answer: Float[np.ndarray, " n"]) -> dict[str, list[Any]]:
        """The numbers."""
        return {"": answer.tolist()}

    def evaluate(self, answer: Float[np.ndarray, " n"], target: np.ndarray) -> Evaluation:
        """Metrics in the user's units, the constant answer's score and skill; see `Task.evaluate`."""
        return evaluate(NUMBER_METRICS, self.metric, answer, self.scale.unscale(target), self._constant())

    def skill(self, answer: Float[np.ndarray, " n"], target: np.ndarray) -> float | None:
        """The skill alone; see `Task.skill`."""
        return skill(NUMBER_METRICS[self.metric], answer, self.scale.unscale(target), self._constant())

    def evaluate_classes(self, answer: Float[np.ndarray, " n"], target: np.ndarray) -> dict[str, Evaluation]:
        """Numbers have no classes."""
        return {}

    def _constant(self) -> Float[np.ndarray, " 1"]:
        """The constant answer that is best in train for the primary metric, in the user's units."""
        return np.array([self.constants[NUMBER_METRICS[self.metric].constant]])

    def _numbers(self, table: Table) -> Float[np.ndarray, " n"]:
        """The cells as float64, NaN where there is no label; what cannot be one is rejected."""
        return scaled_numbers(table, self.columns[0], self.scaling)
