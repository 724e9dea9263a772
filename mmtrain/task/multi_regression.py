"""Several numbers a row, learned as one task."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from mmtrain.errors import ConfigError, DataError, Problem
from mmtrain.metric import NUMBER_METRICS, Evaluation
from mmtrain.option import Column, Count, Dropout, NonNegative, Part, Range
from mmtrain.spec import TaskSpec
from mmtrain.table import Table
from mmtrain.task.head import ClassHead, sizes
from mmtrain.task.numbers import scaled_numbers
from mmtrain.task.regression import Regression

Numbers = Float[np.ndarray, "n C"]


class MultiRegression:
    """Predict several numbers with one head: a place, a box, a pose. A row is labelled where all its numbers are there.

    Each number is scaled and scored as `Regression` does it, and weighs the same: the loss, each metric and the skill are means over
    the columns; `mae.<column>` (the primary metric's name) is that of one of them. Numbers of different units are told
    apart by these and by the skill, rather than by the mean of their errors. `hidden` is the size of the head's hidden layer, or a list
    of sizes; 0 is a linear head.
    """

    targets: ClassVar[str] = "numbers"
    modalities: ClassVar[Sequence[str]] = ()

    def __init__(
        self,
        name: str,
        *,
        column: list[Column],
        loss: Part,
        weight: NonNegative = 1.0,
        metric: Literal["mae", "rmse", "r2", "spearman"] = "mae",
        scaling: Literal["standard", "log1p"] = "standard",
        unit: str = "",
        hidden: Annotated[int, Range(0)] | list[Count] = 0,
        dropout: Dropout = 0.0,
    ) -> None:
        if not column or len(set(column)) < len(column):
            found = f"{column} names no column" if not column else f"{column} names a column twice"
            raise ConfigError(Problem(f"tasks.{name}.column", found, "name each column once"))
        self.name, self.columns = name, list(column)
        self.weight, self.metric = weight, metric
        self.scaling, self.unit = scaling, unit
        self.hidden, self.dropout = sizes(hidden), dropout
        self.parts = [Regression(name, column=each, loss=loss, metric=metric, scaling=scaling) for each in column]

    def fit(self, table: Table) -> None:
        """Measure the scale and the constant answers of each column, over the rows where all numbers are there.

        Raises:
            DataError: there is no such row, or all numbers of a column are equal.
            ConfigError: the loss is not for numbers.
        """
        there = np.stack([np.isfinite(scaled_numbers(replace(table, bad=[]), column, self.scaling)) for column in self.columns])
        labelled = there.all(0)
        if there.any(1).all() and not labelled.any():
            found = f"none of the {len(table)} train rows in {table.file} has a number in every column of {self.columns}"
            raise DataError(Problem(f"tasks.{self.name}", found, "columns that are labelled in different rows are tasks of their own"))
        rows = table.take(np.flatnonzero(labelled)) if labelled.any() else table  # of a column without numbers the part says so
        for part in self.parts:
            part.fit(rows)
        self._use()

    def state(self) -> dict[str, Any]:
        """What each column's `Regression` keeps."""
        return {"parts": [part.state() for part in self.parts]}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Restore scales, constant answers and loss."""
        for part, kept in zip(self.parts, state["parts"], strict=True):
            part.load_state(kept)
        self._use()

    def _use(self) -> None:
        self.loss = EachNumber(self.parts[0].loss)

    @property
    def spec(self) -> TaskSpec:
        """Labelled train rows, whether the loss is a squared error, and a number a column."""
        return TaskSpec(self.parts[0].rows, bool(self.loss.loss.gaussian), self.weight, shape=(len(self.parts),))

    def encode(self, table: Table) -> tuple[np.ndarray, np.ndarray]:
        """Scaled numbers (n, C) float32, 0 in rows that lack one, and which rows are labelled; a cell that is no number is rejected."""
        found = [part.encode(table) for part in self.parts]
        labelled = np.logical_and.reduce([there for _, there in found])
        return np.where(labelled[:, None], np.stack([targets for targets, _ in found], 1), np.float32(0)), labelled

    def head(self, in_dim: int, token_dims: Mapping[str, int]) -> nn.Module:
        """The scaled numbers."""
        return ClassHead(in_dim, self.prior(), hidden=self.hidden, dropout=self.dropout)

    def prior(self) -> Float[Tensor, " C"]:
        """The constant answers, scaled."""
        return torch.stack([part.prior() for part in self.parts])

    def answer(self, prediction: Float[Tensor, "n C"]) -> Numbers:
        """Numbers in the user's units."""
        return np.stack([part.answer(prediction[:, place]) for place, part in enumerate(self.parts)], 1)

    def decode(self, answer: Numbers) -> dict[str, list[Any]]:
        """The numbers, under `.<column>`."""
        return {f".{column}": answer[:, place].tolist() for place, column in enumerate(self.columns)}

    def evaluate(self, answer: Numbers, target: np.ndarray) -> Evaluation:
        """Means over the columns of what `Regression` gives, and between metrics and `constant` the primary metric of each column."""
        parts = [part.evaluate(answer[:, place], target[:, place]) for place, part in enumerate(self.parts)]
        means = {name: _mean([part[name] for part in parts]) for name in ("constant", "skill", *NUMBER_METRICS)}
        each = {f"{self.metric}.{column}": part[self.metric] for column, part in zip(self.columns, parts, strict=True)}
        found = {name: means[name] for name in NUMBER_METRICS} | each
        return {"rows": len(target), **found, "constant": means["constant"], "skill": means["skill"]}

    def skill(self, answer: Numbers, target: np.ndarray) -> float | None:
        """The skill alone; see `Task.skill`."""
        return _mean([part.skill(answer[:, place], target[:, place]) for place, part in enumerate(self.parts)])

    def evaluate_classes(self, answer: Numbers, target: np.ndarray) -> dict[str, Evaluation]:
        """Numbers have no classes."""
        return {}


class EachNumber(nn.Module):
    """Shows several numbers a row to a loss of one, and takes the mean."""

    def __init__(self, loss: nn.Module) -> None:
        super().__init__()
        self.loss = loss

    def forward(self, prediction: Float[Tensor, "K C"], target: Float[Tensor, "K C"]) -> Float[Tensor, " K"]:
        """Loss of each row."""
        return self.loss(prediction.flatten(), target.flatten()).reshape(prediction.shape).mean(1)


def _mean(values: Sequence[float | None]) -> float | None:
    """None where one of them is not defined."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known and len(known) == len(values) else None
