"""What each modality contributes to a prediction learns at a pace of its own."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from math import comb, log
from typing import ClassVar

import torch
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor, nn

from mmtrain.errors import ConfigError, Problem
from mmtrain.modality_balance.method import Losses, ModalityBalance, Pass
from mmtrain.modality_balance.others import comparable_tasks, mean_of_others, mean_over, note_of_one, only, scored_with
from mmtrain.modality_balance.window import Window
from mmtrain.option import Count, Positive
from mmtrain.spec import TaskSpec

MOST = 5  # modalities: each doubles the passes
WORST = -log(1e-8)  # what a row's loss counts at most, as in the authors' code
CAP = 10.0  # of running minus present ratio, as there


class AGM(ModalityBalance):
    """Scale the gradients of each modality's contribution by exp(alpha * (running ratio - present ratio)).

    A prediction is the sum of its modalities' Shapley values, of the game in which a coalition is answered from its modalities alone
    and the empty one answers 0; for two, a's is (p(ab) - p(b) + p(a)) / 2. An absent modality contributes 0, unless the missing
    policy put a stand-in there. With s_m the loss of such a contribution taken as a prediction, a mean over the batch's rows that
    have m and then over tasks, the present ratio is exp(mean of the others' s - s_m): large where m is ahead. The running ratio is
    that of the averages of s over all batches before. Predictions keep their values, only their gradients change. Costs 2**M - 2
    passes behind the encoders for M modalities. Accumulated batches are judged one by one.

    Source: Li et al. 2023, Boosting Multi-modal Model Performance with Adaptive Gradient Modulation, section 3: the mono-modal
    responses, and the modulation by the discrepancy of their cross entropies. As in the authors' code a row's loss counts at most
    -log(1e-8), the difference of the ratios at most 10, and the first batch is held against a running ratio of 1. There the
    inputs of the others are set to 0; here the modalities are absent. Tasks of any kind and rows that lack modalities are ours.

    Raises:
        ConfigError: more than 5 modalities.
    """

    one_process: ClassVar[bool] = True
    average: Float[Tensor, " M"]
    batches: Int[Tensor, " M"]
    shares: Float[Tensor, "M C"]

    def __init__(
        self,
        dims: Mapping[str, int],
        tasks: Mapping[str, TaskSpec],
        *,
        alpha: Positive = 1.0,
        first_epoch: Count = 1,
        last_epoch: Count | None = None,
    ) -> None:
        super().__init__()
        if len(dims) > MOST:
            found = f"agm answers from every combination of modalities, and {len(dims)} are too many: {2 ** len(dims) - 2} passes a batch"
            raise ConfigError(Problem("", found, f"at most {MOST}; ogm_ge needs one pass for each modality"))
        self.notes = note_of_one("agm", dims)
        self.alpha = alpha
        self.window = Window(first_epoch, last_epoch)
        self.active = False
        self.modalities, self.tasks = sorted(dims), comparable_tasks(tasks)
        sizes = range(1, len(dims) + 1)
        self.coalitions = [coalition for size in sizes for coalition in combinations(self.modalities, size)]  # the whole one last
        shares = [[_share(name in coalition, len(coalition), len(dims)) for coalition in self.coalitions] for name in self.modalities]
        self.register_buffer("shares", torch.tensor(shares), persistent=False)
        self.register_buffer("average", torch.zeros(len(dims)))
        self.register_buffer("batches", torch.zeros(len(dims), dtype=torch.int64))

    @property
    def view_weights(self) -> dict[str, dict[str, float]]:
        """As `model.auxiliary` says."""
        return {}

    def start_epoch(self, epoch: int) -> None:
        """Look whether the epoch is in the window."""
        self.active = epoch in self.window and len(self.modalities) > 1

    def adapt(self, given: Pass) -> tuple[Mapping[str, Shaped[Tensor, "B ..."]], dict[str, Float[Tensor, ""]]]:
        """The same predictions, with other gradients."""
        if not self.active:
            return given.predictions, {}
        answers = [given.answer(only(given.present, coalition)) for coalition in self.coalitions[:-1]]
        with torch.autocast(given.batch.rows.device.type, enabled=False):
            contributions = self._contributions(given, [*answers, given.predictions])
            surplus = self._factors(*self._losses(given, contributions)) - 1
            added = {task: torch.tensordot(surplus, parts - parts.detach(), dims=1) for task, parts in contributions.items()}  # exactly 0
            return {**given.predictions, **{task: given.predictions[task] + part for task, part in added.items()}}, {}

    def _contributions(self, given: Pass, answers: Sequence[Mapping[str, Shaped[Tensor, "B ..."]]]) -> dict[str, Float[Tensor, "M B ..."]]:
        """Of each modality to each task's predictions; `answers` are those of the coalitions."""
        able = torch.stack([self._able(given, coalition) for coalition in self.coalitions])
        contributions = {}
        for task in self.tasks:
            values = torch.stack([found[task] for found in answers])
            values = torch.where(able.reshape(*able.shape, *[1] * (values.ndim - 2)), values, 0.0)  # not the prior
            contributions[task] = torch.tensordot(self.shares, values, dims=1)
        return contributions

    def _able(self, given: Pass, coalition: tuple[str, ...]) -> Bool[Tensor, " B"]:
        return torch.stack([given.real[name] for name in coalition]).any(0)

    @torch.no_grad()
    def _losses(self, given: Pass, contributions: Mapping[str, Float[Tensor, "M B ..."]]) -> tuple[Float[Tensor, " M"], Bool[Tensor, " M"]]:
        """The mean loss of each modality's contributions, and which modalities have any scored row."""
        means, judged = [], []
        for place, name in enumerate(self.modalities):
            losses = given.row_losses({task: parts[place] for task, parts in contributions.items()})
            rows = {task: scored_with(given, task, name) for task in losses}
            found = [mean_over(losses[task].clamp(max=WORST), rows[task]) for task in sorted(losses)]
            there = torch.stack([rows[task].any() for task in sorted(losses)]) if found else self.average.new_zeros(1, dtype=torch.bool)
            means.append((torch.stack(found).sum() if found else self.average.new_zeros(())) / there.sum().clamp(min=1))
            judged.append(there.any())
        return torch.stack(means), torch.stack(judged)

    @torch.no_grad()
    def _factors(self, losses: Float[Tensor, " M"], judged: Bool[Tensor, " M"]) -> Float[Tensor, " M"]:
        """By which each contribution's gradients are multiplied; then the losses enter the running averages."""
        others, comparable = mean_of_others(losses, judged)
        known, seen = mean_of_others(self.average, self.batches > 0)
        running = torch.where(seen, torch.exp(known - self.average), 1.0)
        ahead = (running - torch.exp(others - losses)).clamp(max=CAP)
        count = self.batches + 1
        self.average.copy_(torch.where(judged, self.average + (losses - self.average) / count, self.average))
        self.batches.copy_(torch.where(judged, count, self.batches))
        return torch.where(comparable, torch.exp(self.alpha * ahead), 1.0)

    def after_backward(self, encoders: Mapping[str, nn.Module]) -> None:
        """Nothing to do."""

    def epoch_end(self, train: Losses, val: Losses) -> None:
        """Nothing to do."""


def _share(inside: bool, size: int, count: int) -> float:
    """What a coalition's answer counts in the Shapley value of a modality that is inside it, or outside."""
    before = size - 1 if inside else size
    weight = 0.0 if before == count else 1 / (count * comb(count - 1, before))
    return weight if inside else -weight
