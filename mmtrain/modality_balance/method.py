"""What the training loop asks of every method that balances modalities."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Bool, Float, Shaped
from torch import Tensor, nn

from mmtrain.batch import Batch, Tokens

Present = Mapping[str, Bool[Tensor, " B"]]
Losses = Mapping[str, Mapping[str, float]]  # by task and view

# The predictions of every task, {task: (B, ...)}, from these modalities of each row alone, by the same tokens, fusion and heads.
Answer = Callable[[Present], Mapping[str, Shaped[Tensor, "B ..."]]]
# The loss of each row that is scored in the view `fused`, {task: (S,)}, for such predictions; no task without such rows.
RowLosses = Callable[[Mapping[str, Shaped[Tensor, "B ..."]]], Mapping[str, Float[Tensor, " S"]]]


@dataclass(frozen=True)
class Pass:
    """One batch on its way through the model, before its losses.

    `predictions[t]` are the decisions; `tokens[m]` and `present[m]` what the fusion was given, `real[m]` what of
    that is no stand-in. `answer` and `row_losses` are as above; `answer` keeps its gradients, unless it is called without.
    """

    batch: Batch
    predictions: Mapping[str, Shaped[Tensor, "B ..."]]
    tokens: Mapping[str, Tokens]
    present: Present
    real: Present
    answer: Answer
    row_losses: RowLosses


class ModalityBalance(nn.Module, ABC):
    """One method. `notes` are sentences for the log, said once before training. What it remembers stands in its state dict.

    `one_process`: it goes by what it sees of a batch, and so cannot work where each of several processes sees a share.
    """

    single_views: ClassVar[bool] = False
    one_process: ClassVar[bool] = False
    notes: list[str]

    @property
    @abstractmethod
    def view_weights(self) -> Mapping[str, Mapping[str, float]]:
        """What each view's loss counts, by task and view, the decision never 0; of a task that is not in it, as `model.auxiliary` says."""

    @abstractmethod
    def start_epoch(self, epoch: int) -> None:
        """Called before the first step of an epoch, counted from 1; also where a resumed run goes on in the middle of one."""

    @abstractmethod
    def adapt(self, given: Pass) -> tuple[Mapping[str, Shaped[Tensor, "B ..."]], Mapping[str, Float[Tensor, ""]]]:
        """Called for every batch: the predictions whose losses are taken, and penalties by name, already weighted."""

    @abstractmethod
    def after_backward(self, encoders: Mapping[str, nn.Module]) -> None:
        """Called once a step, when all gradients are there, before they are clipped; `encoders` go by the name of the modality."""

    @abstractmethod
    def epoch_end(self, train: Losses, val: Losses) -> None:
        """Called at the end of an epoch with its mean losses, by task and view; empty where the model has no view but `fused`."""
