"""Several quantiles of one number a row: what to expect, and how far it may be off."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from mmtrain.errors import ConfigError, Problem
from mmtrain.metric import Evaluation, evaluate, quantile_metrics, skill
from mmtrain.option import Column, Count, Dropout, NonNegative, Part, Range
from mmtrain.spec import TargetSpec, TaskSpec
from mmtrain.table import Table
from mmtrain.task.head import ClassHead, sizes
from mmtrain.task.numbers import scaled_numbers, train_numbers
from mmtrain.task.objective import build_loss
from mmtrain.task.scale import Scale

Quantiles = Float[np.ndarray, "n Q"]


class Quantile:
    """Predict quantiles of a number; an empty cell is no label.

    `quantiles` rise and have the median, 0.5, among them: that is the answer, and the lowest and the highest are the ends of an
    interval around it, of which `coverage` says how many numbers lie within. Predictions that cross are sorted, which never makes
    their pinball loss larger (Chernozhukov, Fernandez-Val and Galichon 2010, section 2). Numbers are scaled as `Regression` has
    them, by `scaling`; `unit` is what they are measured in. `metric` is the one that skill is measured in: the mean pinball loss,
    or the absolute error of the median. `hidden` is the size of the head's hidden layer, or a list of sizes; 0 is a linear head.
    """

    targets: ClassVar[str] = "quantiles"
    modalities: ClassVar[Sequence[str]] = ()

    def __init__(
        self,
        name: str,
        *,
        column: Column,
        loss: Part,
        weight: NonNegative = 1.0,
        quantiles: list[Annotated[float, Range(above=0, below=1)]] = [0.1, 0.5, 0.9],  # noqa: B006 (the check reads literals)
        metric: Literal["pinball", "mae"] = "pinball",
        scaling: Literal["standard", "log1p"] = "standard",
        unit: str = "",
        hidden: Annotated[int, Range(0)] | list[Count] = 0,
        dropout: Dropout = 0.0,
    ) -> None:
        _check(quantiles, f"tasks.{name}.quantiles")
        self.name, self.columns = name, [column]
        self.weight, self.metric = weight, metric
        self.quantiles, self.metrics = list(quantiles), quantile_metrics(quantiles)
        self.scaling, self.unit = scaling, unit
        self.hidden, self.dropout = sizes(hidden), dropout
        self._loss_part = loss

    def fit(self, table: Table) -> None:
        """Measure the scale, and the quantiles of train.

        Raises:
            DataError: no row is labelled, or all labels are equal.
            ConfigError: the loss is not for quantiles.
        """
        numbers = train_numbers(self.name, self.columns[0], table, self._numbers)
        # those of the step function: no other constant has a smaller pinball loss
        constants = np.quantile(numbers, self.quantiles, method="inverted_cdf")
        self._use(Scale.fit(self.scaling, numbers), constants.tolist(), rows=len(numbers))

    def state(self) -> dict[str, Any]:
        """The scale, the quantiles of train, and the number of labelled train rows."""
        return {"scale": self.scale.state(), "constants": self.constants, "rows": self.rows}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Restore scale, constant answers and loss."""
        self._use(Scale.restore(state["scale"]), list(state["constants"]), rows=state["rows"])

    def _use(self, scale: Scale, constants: list[float], *, rows: int) -> None:
        self.scale, self.constants, self.rows = scale, constants, rows
        self.loss = build_loss(self._loss_part, TargetSpec(self.name, quantiles=tuple(self.quantiles)), self.targets)

    @property
    def spec(self) -> TaskSpec:
        """Labelled train rows, and a number a quantile."""
        return TaskSpec(self.rows, bool(self.loss.gaussian), self.weight, shape=(len(self.quantiles),))

    def encode(self, table: Table) -> tuple[np.ndarray, np.ndarray]:
        """Scaled numbers (n,) float32, 0 where there is none, and which rows are labelled; a cell that is no number is rejected."""
        numbers = self._numbers(table)
        labelled = np.isfinite(numbers)
        return self.scale.scale(np.where(labelled, numbers, self.scale.unscale(np.zeros(1)))).astype(np.float32), labelled

    def head(self, in_dim: int, token_dims: Mapping[str, int]) -> nn.Module:
        """The scaled quantiles, which begin at those of train."""
        return ClassHead(in_dim, self.prior(), hidden=self.hidden, dropout=self.dropout)

    def prior(self) -> Float[Tensor, " Q"]:
        """The quantiles of train, scaled."""
        return torch.from_numpy(self.scale.scale(np.array(self.constants))).float()

    def answer(self, prediction: Float[Tensor, "n Q"]) -> Quantiles:
        """Quantiles in the user's units, in rising order."""
        return np.sort(self.scale.unscale(prediction.numpy()), axis=1)

    def decode(self, answer: Quantiles) -> dict[str, list[Any]]:
        """The median, and `.q10` for the quantile 0.1, and so on."""
        columns = {f".q{100 * level:g}": answer[:, place].tolist() for place, level in enumerate(self.quantiles)}
        return {"": columns[".q50"]} | columns

    def evaluate(self, answer: Quantiles, target: np.ndarray) -> Evaluation:
        """Metrics in the user's units, the constant answer's score and skill; see `Task.evaluate`."""
        return evaluate(self.metrics, self.metric, answer, self.scale.unscale(target), np.array(self.constants))

    def skill(self, answer: Quantiles, target: np.ndarray) -> float | None:
        """The skill alone; see `Task.skill`."""
        return skill(self.metrics[self.metric], answer, self.scale.unscale(target), np.array(self.constants))

    def evaluate_classes(self, answer: Quantiles, target: np.ndarray) -> dict[str, Evaluation]:
        """Numbers have no classes."""
        return {}

    def _numbers(self, table: Table) -> Float[np.ndarray, " n"]:
        return scaled_numbers(table, self.columns[0], self.scaling)


def _check(quantiles: Sequence[float], where: str) -> None:
    """Refuse quantiles that do not rise, or leave out the median."""
    if not all(low < high for low, high in pairwise(quantiles)):
        raise ConfigError(Problem(where, f"{list(quantiles)} does not rise", "name each quantile once, the lowest first"))
    if 0.5 not in quantiles:
        raise ConfigError(Problem(where, f"{list(quantiles)} leaves out the median", "add 0.5: it is the answer"))
