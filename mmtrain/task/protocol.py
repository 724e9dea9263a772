"""What a task is to the rest."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from torch import Tensor, nn

from mmtrain.spec import TaskSpec
from mmtrain.table import Table


@runtime_checkable
class Task(Protocol):
    """A task turns the cells of its column into targets, vectors into predictions, and predictions into answers.

    A prediction is what the head gives and the loss takes (B, ...); an answer is the same for the user: probabilities
    (n, C), or numbers (n, ...) in the user's units.

    A task whose predictions are larger than what is answered from them, or need more work on the device, may have a method
    `condense(prediction (B, ...)) -> (B, ...)`: what is kept of them until all rows are predicted. `answer` takes that then. One that
    says `generates: ClassVar[bool] = True` is not scored on train: condensing or scoring would take longer than
    training. One that says `paired: ClassVar[bool] = True` labels rows by what they have: labelled are those with all of its modalities.
    One whose targets lie in what a modality shows may have a method `attach(modalities)`: it is called
    first, with those that the task names.
    One that says `tempered: ClassVar[bool] = True` answers with logits that may be divided by a temperature: no answer changes by it,
    only how sure it is. (Where the answer is a median of ordered classes, it would move.)
    One that says `by_word: ClassVar[bool] = True` is given one token for each word of the texts that it reads, whatever pieces the
    words were read in.
    """

    @property
    def name(self) -> str:
        """The task's name in the configuration."""
        ...

    @property
    def columns(self) -> list[str]:
        """The columns of the table that it reads."""
        ...

    @property
    def modalities(self) -> Sequence[str]:
        """The modalities whose tokens its heads read; none where the vector tells all. Only views that hold all of them have a head."""
        ...

    @property
    def weight(self) -> float:
        """What its loss is multiplied by, before any balancing."""
        ...

    @property
    def metric(self) -> str:
        """The metric that skill is measured in."""
        ...

    @property
    def unit(self) -> str:
        """What its numbers are measured in, to be shown beside `mae` and `rmse`; empty for labels."""
        ...

    @property
    def spec(self) -> TaskSpec:
        """What a balancer may know; known after `fit` or `load_state`."""
        ...

    @property
    def loss(self) -> nn.Module:
        """Called with the predictions and targets of K labelled rows, none of them -1, it gives (K,); there after `fit` or `load_state`.

        The model registers it, so that it moves to the model's device.
        """
        ...

    def fit(self, table: Table) -> None:
        """Learn from the train rows what `encode` needs.

        Raises:
            DataError: no row is labelled, or the labels are none that the task could learn.
            ConfigError: an option of the task or its loss does not go with the labels.
        """
        ...

    def state(self) -> dict[str, Any]:
        """What `fit` learned, as JSON can hold it."""
        ...

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Restore what `state` gave."""
        ...

    def encode(self, table: Table) -> tuple[np.ndarray, np.ndarray]:
        """Targets (n, ...) and which rows are labelled, (n,) bool; a whole number -1 in a target is a label that train never saw."""
        ...

    def head(self, in_dim: int, token_dims: Mapping[str, int]) -> nn.Module:
        """A module that predicts: forward(vector (B, in_dim), fused: Fused) -> (B, ...).

        Tokens of modality m in `fused.tokens[m]` are `token_dims[m]` wide. They are what the encoder gave, with the stand-ins of the
        missing policy: no other modality has a part in them; that stands in the vector.
        """
        ...

    def prior(self) -> Tensor:
        """The prediction (...) for a row of which nothing is known: the constant answer, best in train for the primary metric."""
        ...

    def answer(self, prediction: Tensor) -> np.ndarray:
        """Predictions on the host, (n, ...), as the user understands them: float64."""
        ...

    def decode(self, answer: np.ndarray) -> dict[str, list[Any]]:
        """Columns of a table of predictions, by what follows the task's name in the column's name."""
        ...

    def evaluate(self, answer: np.ndarray, target: np.ndarray) -> dict[str, float | None]:
        """Score the answers of labelled rows against their encoded targets, in the user's units.

        Gives, in this order: `rows`, each metric by its name, `constant` (what the best constant answer from train scores in the
        primary metric) and `skill` (0 for that constant, 1 for perfection). What these rows do not define is None, never NaN.
        """
        ...

    def skill(self, answer: np.ndarray, target: np.ndarray) -> float | None:
        """The skill that `evaluate` gives, without the other metrics, which take many times as long."""
        ...

    def evaluate_classes(self, answer: np.ndarray, target: np.ndarray) -> dict[str, dict[str, float | None]]:
        """`precision`, `recall`, `f1`, `rows`, and what a task adds, of each label, in their order; nothing where there are no classes.

        What these rows do not define is None.
        """
        ...
