"""Views of single modalities beside the fused one, each weighed by how well it generalises."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from jaxtyping import Float, Shaped
from torch import Tensor, nn

from mmtrain.batch import FUSED
from mmtrain.modality_balance.method import Losses, ModalityBalance, Pass
from mmtrain.modality_balance.others import note_of_one
from mmtrain.modality_balance.window import Window
from mmtrain.option import Count, Range
from mmtrain.spec import TaskSpec

SMALLEST = 0.01  # overfitting that is believed, in parts of the largest among a task's views
TINY = 1e-12


class Blend(ModalityBalance):
    """Train each modality's own view along with the fused one, with weights proportional to G / O**2, task by task.

    Over `every` epochs, G is how far a view's val loss fell, and O how much the gap from train to val loss grew. The weights of a task
    sum to 1. They start equal, and are renewed at the end of every super-epoch, the first of which begins with the first losses of the
    window (those of the epoch before it, if there is one). What the formula leaves open:

    * A view whose val loss rose (G < 0) counts as G = 0.
    * O counts as at least 1 % of the largest among the task's views, so that one lucky difference does not take everything.
    * `least` of the weight is shared evenly: a view that got nothing could not recover, and were it the fused one, the
      decision would go untrained. Where no view generalised, all weights stay.
    * A view without losses at either end keeps its weight; the others share theirs.

    Source: Wang, Tran and Feiszli 2020, What Makes Training Multi-Modal Classification Networks Hard?, section 3: the
    overfitting-to-generalization ratio, weights G / O**2 normalised, and online Gradient-Blending. There, networks of single modalities
    and the fused one are trained apart, from the present weights, to measure each super-epoch; here G and O are those of the
    views in the very training, whose train loss is a mean over the epoch.
    """

    single_views: ClassVar[bool] = True

    def __init__(
        self,
        dims: Mapping[str, int],
        tasks: Mapping[str, TaskSpec],
        *,
        every: Count = 2,
        least: Annotated[float, Range(above=0, high=1)] = 0.1,
        first_epoch: Count = 1,
        last_epoch: Count | None = None,
    ) -> None:
        super().__init__()
        self.notes = note_of_one("blend", dims)
        self.every, self.least = every, least
        self.window = Window(first_epoch, last_epoch)
        self.epoch = 0
        self.several = len(dims) > 1
        views = [*sorted(dims), FUSED]
        self.weights = {task: dict.fromkeys(views, 1 / len(views)) for task in sorted(tasks)}
        self.start: dict[str, Losses] | None = None
        self.age = 0

    @property
    def view_weights(self) -> Mapping[str, Mapping[str, float]]:
        """The weights of the super-epoch; outside of the window, as `model.auxiliary` says."""
        return self.weights if self.several and self.epoch in self.window else {}

    def start_epoch(self, epoch: int) -> None:
        """Remember which epoch it is."""
        self.epoch = epoch

    def adapt(self, given: Pass) -> tuple[Mapping[str, Shaped[Tensor, "B ..."]], dict[str, Float[Tensor, ""]]]:
        """The predictions as they are."""
        return given.predictions, {}

    def after_backward(self, encoders: Mapping[str, nn.Module]) -> None:
        """Nothing to do."""

    def epoch_end(self, train: Losses, val: Losses) -> None:
        """At the end of a super-epoch, weigh the views anew."""
        if self.epoch + 1 not in self.window:
            return
        now = {"train": train, "val": val}
        self.age += self.start is not None
        if self.start is not None and self.age < self.every:
            return
        if self.start is not None:
            self.weights = {task: self._renewed(task, self.start, now) for task in self.weights}
        self.start, self.age = now, 0

    def _renewed(self, task: str, start: Mapping[str, Losses], now: Mapping[str, Losses]) -> dict[str, float]:
        old = self.weights[task]
        return old | _weights(_by_view(start, task), _by_view(now, task), old, self.least)

    def get_extra_state(self) -> dict[str, Any]:
        """Weights, and the losses with which the super-epoch began."""
        return {"weights": self.weights, "start": self.start, "age": self.age}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Go on where `get_extra_state` was called."""
        self.weights, self.start, self.age = state["weights"], state["start"], state["age"]


def _by_view(losses: Mapping[str, Losses], task: str) -> dict[str, tuple[float, float]]:
    """The train and the val loss of each view that has both."""
    train, val = (losses[split].get(task, {}) for split in ("train", "val"))
    return {view: (train[view], val[view]) for view in train if view in val}


def _weights(
    start: Mapping[str, tuple[float, float]], end: Mapping[str, tuple[float, float]], old: Mapping[str, float], least: float
) -> dict[str, float]:
    """The new weights of the views that have losses at both ends."""
    views = sorted(start.keys() & end.keys() & old.keys())
    gained = {view: max(start[view][1] - end[view][1], 0.0) for view in views}
    overfitted = {view: (end[view][1] - end[view][0]) - (start[view][1] - start[view][0]) for view in views}
    floor = max([TINY, *(SMALLEST * abs(gap) for gap in overfitted.values())])
    raw = {view: gained[view] / max(abs(overfitted[view]), floor) ** 2 for view in views}
    whole, shared = sum(raw.values()), sum(old[view] for view in views)
    if whole == 0:
        return {}
    return {view: shared * (least / len(views) + (1 - least) * raw[view] / whole) for view in views}
