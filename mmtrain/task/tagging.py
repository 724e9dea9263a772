"""One tag for each word of a text."""

from collections import Counter
from collections.abc import Mapping
from itertools import chain
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import polars as pl
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from mmtrain.errors import ConfigError, DataError, Problem
from mmtrain.metric import Evaluation, by_entity, evaluate, skill, tag_metrics
from mmtrain.option import Column, Count, Dropout, ModalityName, NonNegative, Part, Range
from mmtrain.spec import PADDING, UNSEEN, TargetSpec, TaskSpec
from mmtrain.table import Table
from mmtrain.task.head import sizes
from mmtrain.task.labels import Labels, unlabelled
from mmtrain.task.objective import build_loss, first_prediction
from mmtrain.task.words import NEVER, WordHead, WordLoss

OUTSIDE, MARKS = "O", ("B-", "I-", "E-", "S-", "L-", "U-")  # of words of no entity, and of those of one


class Tagging:
    """Predict a tag for each word of the text that `modality` reads: the slots of a request, entities, parts of speech.

    A cell holds one tag a word: a list, or text with blanks between the tags. A word that is read in pieces has one tag, and is scored
    once. Each word is told by its own token and by the fused vector of the row, which knows the other modalities. The loss of a row is
    the mean over its words.

    `metric` is the one that skill is measured in: `entity_f1`, for tags such as B-city, I-city and O, counts whole entities; `accuracy`
    counts words, `exact` rows in which every word is right. `hidden` is the size of the head's hidden layer, or a list of sizes; 0 is
    a linear head.
    """

    targets: ClassVar[str] = "tags"
    scored: ClassVar[str] = "classes"  # what the loss is for: a class a word
    kinds: ClassVar[tuple[str, ...]] = ("text",)
    by_word: ClassVar[bool] = True
    unit: ClassVar[str] = ""

    def __init__(
        self,
        name: str,
        *,
        column: Column,
        modality: ModalityName,
        loss: Part,
        weight: NonNegative = 1.0,
        metric: Literal["entity_f1", "accuracy", "exact"] = "entity_f1",
        hidden: Annotated[int, Range(0)] | list[Count] = 0,
        dropout: Dropout = 0.0,
    ) -> None:
        self.name, self.columns, self.modalities = name, [column], [modality]
        self.weight, self.metric = weight, metric
        self.hidden, self.dropout = sizes(hidden), dropout
        self._loss_part = loss

    def fit(self, table: Table) -> None:
        """Gather and count the tags.

        Raises:
            DataError: fewer than two different tags.
            ConfigError: the loss is not for classes or weighs a tag that is not there, or the metric asks for entities and there are none.
        """
        rows = read_tags(table, self.columns[0])
        counts = Counter(chain.from_iterable(row or [] for row in rows))
        if len(counts) < 2:
            found = (
                f"all tags of column '{self.columns[0]}' in train are '{next(iter(counts))}'"
                if counts
                else unlabelled(self.columns[0], table)
            )
            raise DataError(Problem(f"tasks.{self.name}", found, "two different tags are the least that can be told apart"))
        self._use(Labels({tag: counts[tag] for tag in sorted(counts)}), sum(row is not None for row in rows))

    def state(self) -> dict[str, Any]:
        """Tags, how many words have each, and how many rows are labelled."""
        return self.labels.state() | {"rows": self.rows}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Restore tags and loss."""
        self._use(Labels.restore(state), state["rows"])

    def _use(self, labels: Labels, rows: int) -> None:
        self.labels, self.rows = labels, rows
        self.tags = list(labels.counts)
        entities = all(tag == OUTSIDE or tag.startswith(MARKS) for tag in self.tags)
        if self.metric == "entity_f1" and not entities:
            other = next(tag for tag in self.tags if tag != OUTSIDE and not tag.startswith(MARKS))
            found = f"entity_f1 counts entities, and the tag '{other}' marks none (as B-{other} or I-{other} would)"
            raise ConfigError(Problem(f"tasks.{self.name}.metric", found, "set metric=accuracy"))
        self.metrics = tag_metrics(self.tags, self._commonest, entities=entities)
        self.loss = WordLoss(build_loss(self._loss_part, TargetSpec(self.name, labels.counts), self.scored))

    @property
    def spec(self) -> TaskSpec:
        """Labelled train rows, and for each word the logits of "no word" and of each tag."""
        return TaskSpec(
            self.rows,
            bool(self.loss.loss.gaussian),
            self.weight,
            "classes",
            (1 + len(self.tags),),
            whole=False,
            modalities=tuple(self.modalities),
        )

    def encode(self, table: Table) -> tuple[np.ndarray, np.ndarray]:
        """Numbers of the tags (n, M) int64, -1 for one that train never saw, `PADDING` behind a row's last word; and which rows are
        labelled."""
        rows = read_tags(table, self.columns[0])
        numbers = {tag: number for number, tag in enumerate(self.tags)}
        targets = np.full((len(rows), max((len(row or []) for row in rows), default=0)), PADDING, np.int64)
        for target, row in zip(targets, rows, strict=True):
            target[: len(row or [])] = [numbers.get(tag, UNSEEN) for tag in row or []]
        return targets, np.array([row is not None for row in rows], bool)

    def head(self, in_dim: int, token_dims: Mapping[str, int]) -> nn.Module:
        """For each word a logit of "no word" and of each tag."""
        first, modality = first_prediction(self.prior()[1:], self.loss.loss), self.modalities[0]
        return WordHead(in_dim, token_dims[modality], first, modality=modality, hidden=self.hidden, dropout=self.dropout)

    def prior(self) -> Float[Tensor, " C"]:
        """Logarithms of the tags' frequencies among train's words."""
        return functional.pad(torch.from_numpy(np.log(self.labels.frequencies)).float(), (1, 0), value=NEVER)

    def condense(self, prediction: Float[Tensor, "B L C"]) -> Float[Tensor, "B L 2"]:
        """Each word's tag, from 1, and its probability; 0 and 0 where no word was read."""
        if prediction.shape[1] == 0:
            return prediction.new_zeros(len(prediction), 0, 2)
        probability, tag = prediction.softmax(2).max(2)
        return torch.stack([tag.to(probability), torch.where(tag > 0, probability, 0)], 2)

    def answer(self, prediction: Float[Tensor, "n L 2"]) -> Float[np.ndarray, "n L 2"]:
        """The same on the host."""
        return prediction.double().numpy()

    def decode(self, answer: Float[np.ndarray, "n L 2"]) -> dict[str, list[Any]]:
        """The tags of each row's words with blanks between them, and `.confidence`, the mean of their probabilities."""
        words = answer[:, :, 0] > 0
        means = answer[:, :, 1].sum(1) / words.sum(1).clip(min=1)
        tags = [" ".join(self.tags[int(tag) - 1] for tag in row if tag > 0) for row in answer[:, :, 0]]
        return {"": tags, ".confidence": means.tolist()}

    def evaluate(self, answer: Float[np.ndarray, "n L 2"], target: Int[np.ndarray, "n M"]) -> Evaluation:
        """Metrics, the constant answer's score and skill; see `Task.evaluate`. The constant is the commonest tag for every word."""
        return evaluate(self.metrics, self.metric, answer, target, self._constant)

    def skill(self, answer: Float[np.ndarray, "n L 2"], target: Int[np.ndarray, "n M"]) -> float | None:
        """The skill alone; see `Task.skill`."""
        return skill(self.metrics[self.metric], answer, target, self._constant)

    def evaluate_classes(self, answer: Float[np.ndarray, "n L 2"], target: Int[np.ndarray, "n M"]) -> dict[str, Evaluation]:
        """Precision, recall, F1 and number of the entities of each kind; nothing where tags name no entities."""
        return by_entity(answer, target, self.tags, self._commonest) if "entity_f1" in self.metrics else {}

    @property
    def _commonest(self) -> int:
        return int(self.labels.frequencies.argmax())

    @property
    def _constant(self) -> Float[np.ndarray, " 2"]:
        return np.array([1.0 + self._commonest, self.labels.frequencies.max()])


def read_tags(table: Table, column: str) -> list[list[str] | None]:
    """The tags of each row's words; None where the cell is empty."""
    if isinstance(table.frame[column].dtype, pl.List):
        cells = table.frame[column].cast(pl.List(pl.String)).to_list()
        return [None if cell is None else [tag or OUTSIDE for tag in cell] for cell in cells]
    return [None if cell is None else cell.split() for cell in table.text(column)]
