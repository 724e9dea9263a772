"""Modalities as they come."""

from collections.abc import Mapping

from jaxtyping import Float, Shaped
from torch import Tensor, nn

from mmtrain.modality_balance.method import Losses, ModalityBalance, Pass
from mmtrain.spec import TaskSpec


class Nothing(ModalityBalance):
    """Change nothing."""

    def __init__(self, dims: Mapping[str, int], tasks: Mapping[str, TaskSpec]) -> None:
        super().__init__()
        self.notes = []

    @property
    def view_weights(self) -> dict[str, dict[str, float]]:
        """As `model.auxiliary` says."""
        return {}

    def start_epoch(self, epoch: int) -> None:
        """Nothing to do."""

    def adapt(self, given: Pass) -> tuple[Mapping[str, Shaped[Tensor, "B ..."]], dict[str, Float[Tensor, ""]]]:
        """The predictions as they are."""
        return given.predictions, {}

    def after_backward(self, encoders: Mapping[str, nn.Module]) -> None:
        """Nothing to do."""

    def epoch_end(self, train: Losses, val: Losses) -> None:
        """Nothing to do."""
