"""Two modalities of a row that are to find each other."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from mmtrain.errors import ConfigError, Problem
from mmtrain.metric import PAIR_METRICS, Evaluation, Metric, chance, evaluate, nearest, places, skill
from mmtrain.option import Count, ModalityName, NonNegative, Positive
from mmtrain.spec import TaskSpec
from mmtrain.table import Table
from mmtrain.task.pairs import PairHead, PairLoss

Vectors = Float[np.ndarray, "n 2 dim"]


class Retrieval:
    """Give each of two `modalities` a vector of `dim` numbers, so that those of one row are more alike than those of two rows.

    There is no column of labels: a row that has both modalities is a labelled one. The head reads the encoders' tokens alone, so that
    no fusion shows one modality to the other; it needs a model with a view that holds both. The loss
    (symmetric InfoNCE) tells a row from the others of its batch: large batches ask for more. With accumulated batches, or several
    processes, rows are told from those of their own batch only. Rows that are alike in both modalities count as different.

    Scored is where a row's partner stands among the partners of all labelled rows of the split, by cosine: `recall_1`, `recall_5` and
    `recall_10` (share of rows that find it among the first so many) and `mrr` (mean of 1 / place), each the mean of both directions, and
    the primary `metric` of each direction, named by the modality that is looked for. Equals are in an order drawn by lot; a row
    that lost a modality looks in vain. The constant answer is chance. Of train only the loss is taken: to rank all of its rows takes
    longer than to train on them.
    """

    targets: ClassVar[str] = "pairs"
    paired: ClassVar[bool] = True
    generates: ClassVar[bool] = True
    unit: ClassVar[str] = ""

    def __init__(
        self,
        name: str,
        *,
        modalities: list[ModalityName],
        weight: NonNegative = 1.0,
        metric: Literal["recall_1", "recall_5", "recall_10", "mrr"] = "recall_1",
        dim: Count = 128,
        temperature: Positive = 0.07,
    ) -> None:
        if len(modalities) != 2 or modalities[0] == modalities[1]:
            found = f"names {', '.join(modalities) or 'none'}, and two different ones are a pair"
            raise ConfigError(Problem(f"tasks.{name}.modalities", found, "give two, as [picture,words]"))
        self.name, self.modalities = name, list(modalities)
        self.columns: list[str] = []
        self.weight, self.metric, self.dim = weight, metric, dim
        self._temperature = temperature

    def fit(self, table: Table) -> None:
        """Nothing to learn."""
        self._use(len(table))

    def state(self) -> dict[str, Any]:
        """The number of train rows."""
        return {"rows": self._rows}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Restore it."""
        self._use(state["rows"])

    def _use(self, rows: int) -> None:
        self._rows = rows
        self.loss: nn.Module = PairLoss(self._temperature)

    @property
    def spec(self) -> TaskSpec:
        """All train rows, whether or not they have both modalities: the cells of this task's own are none."""
        return TaskSpec(self._rows, False, self.weight, "numbers", (2, self.dim), whole=False, modalities=tuple(self.modalities))

    def encode(self, table: Table) -> tuple[np.ndarray, np.ndarray]:
        """Targets (n,) int64 that say nothing, and all rows; those that lack a modality are left out by who knows that they do."""
        return np.zeros(len(table), np.int64), np.ones(len(table), bool)

    def head(self, in_dim: int, token_dims: Mapping[str, int]) -> nn.Module:
        """Two vectors of length 1, 0 for a modality that the row lacks."""
        return PairHead(self.modalities, token_dims, dim=self.dim)

    def prior(self) -> Float[Tensor, "2 dim"]:
        """No vectors: as good as chance."""
        return torch.zeros(2, self.dim)

    def answer(self, prediction: Float[Tensor, "n 2 dim"]) -> Vectors:
        """The vectors."""
        return prediction.double().numpy()

    def decode(self, answer: Vectors) -> dict[str, list[Any]]:
        """The place in these rows, counted from 1, of the row whose second modality fits this row's first one best; `.similarity`, the
        cosine of the row's own two; and `.vector.<modality>`, both vectors. Empty where the row lacks what it takes."""
        row, found = nearest(answer)
        there = (answer != 0).any(2)
        own = (answer[:, 0] * answer[:, 1]).sum(1)
        columns: dict[str, list[Any]] = {"": [int(place) + 1 if known else None for place, known in zip(row, found, strict=True)]}
        columns[".similarity"] = [float(cosine) if both else None for cosine, both in zip(own, there.all(1), strict=True)]
        for side, name in enumerate(self.modalities):
            columns[f".vector.{name}"] = [
                vector.tolist() if known else None for vector, known in zip(answer[:, side], there[:, side], strict=True)
            ]
        return columns

    def evaluate(self, answer: Vectors, target: np.ndarray) -> Evaluation:
        """Metrics, the score of chance and skill; see `Task.evaluate`."""
        return evaluate(PAIR_METRICS | self._each_way(), self.metric, places(answer), target, chance(len(target)))

    def skill(self, answer: Vectors, target: np.ndarray) -> float | None:
        """The skill alone; see `Task.skill`."""
        return skill(PAIR_METRICS[self.metric], places(answer), target, chance(len(target)))

    def evaluate_classes(self, answer: Vectors, target: np.ndarray) -> dict[str, Evaluation]:
        """There are no classes."""
        return {}

    def _each_way(self) -> dict[str, Metric]:
        """The primary metric by the modality that is looked for."""
        metric = PAIR_METRICS[self.metric]

        def one(direction: int) -> Metric:
            return Metric(lambda found, target: metric.score(found[:, [direction]], target), metric.perfect, metric.constant)

        first, second = self.modalities
        return {f"{self.metric}.{second}": one(0), f"{self.metric}.{first}": one(1)}
