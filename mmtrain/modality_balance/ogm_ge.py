"""The stronger modality's encoder is slowed down."""

from collections.abc import Mapping

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from mmtrain import processes
from mmtrain.modality_balance.method import Losses, ModalityBalance, Pass
from mmtrain.modality_balance.others import comparable_tasks, mean_of_others, note_of_one, only, scored_with
from mmtrain.modality_balance.window import Window
from mmtrain.option import Count, Positive
from mmtrain.spec import TaskSpec


class OGMGE(ModalityBalance):
    """Multiply the gradients of a modality's encoder by 1 - tanh(alpha * ratio) where it is ahead of the others (ratio > 1).

    The ratio is a modality's score to the mean score of the others. A row's score is exp(-loss) when the model answers from this
    modality alone, for cross entropy the probability of the true class; a modality's score is its mean over the rows of a step that
    have it, then over tasks; those that only one modality can answer, as tagging, tell nothing. `noise` adds Gaussian noise to every
    encoder's gradients, whose standard deviation, parameter by parameter, is that of the gradient before it was multiplied. Costs one
    pass behind the encoders for each modality.

    Source: Peng et al. 2022, On-the-fly Gradient Modulation, section 3.3, equations 8 to 10, and section 3.4 (the noise). There the
    score comes from a modality's slice of a linear head, for two modalities and one task; we mask the others instead, which fits
    any fusion. Sums over the batch there are means here, which is the same as long as no row lacks a modality. The authors' code
    leaves all but kernels of convolutions alone; as the paper says, we take all of an encoder.
    """

    totals: Float[Tensor, "T M"]
    counts: Float[Tensor, "T M"]

    def __init__(
        self,
        dims: Mapping[str, int],
        tasks: Mapping[str, TaskSpec],
        *,
        alpha: Positive = 0.5,
        noise: bool = True,
        first_epoch: Count = 1,
        last_epoch: Count | None = None,
    ) -> None:
        super().__init__()
        self.notes = note_of_one("ogm_ge", dims)
        self.alpha, self.noise = alpha, noise
        self.window = Window(first_epoch, last_epoch)
        self.active = False
        self.modalities, self.tasks = sorted(dims), comparable_tasks(tasks)
        for name in ("totals", "counts"):  # empty between steps, and so no part of a checkpoint
            self.register_buffer(name, torch.zeros(len(self.tasks), len(dims)), persistent=False)

    @property
    def view_weights(self) -> dict[str, dict[str, float]]:
        """As `model.auxiliary` says."""
        return {}

    def start_epoch(self, epoch: int) -> None:
        """Look whether the epoch is in the window."""
        self.active = epoch in self.window and len(self.modalities) > 1

    @torch.no_grad()
    def adapt(self, given: Pass) -> tuple[Mapping[str, Shaped[Tensor, "B ..."]], dict[str, Float[Tensor, ""]]]:
        """Add up the scores; the predictions stay as they are."""
        for place, name in enumerate(self.modalities if self.active else ()):
            alone = given.answer(only(given.present, [name]))
            for task, losses in given.row_losses({task: alone[task] for task in self.tasks}).items():
                rows, row = scored_with(given, task, name), self.tasks.index(task)
                self.totals[row, place] += torch.where(rows, torch.exp(-losses), 0.0).sum()
                self.counts[row, place] += rows.sum()
        return given.predictions, {}

    @torch.no_grad()
    def after_backward(self, encoders: Mapping[str, nn.Module]) -> None:
        """Slow down and add noise; a parameter without a gradient is left alone."""
        if not self.active:
            return
        for part in (self.totals, self.counts):
            part.copy_(processes.added(part))
        factors = dict(zip(self.modalities, self._factors().unbind(), strict=True))
        for name in self.modalities:  # in this order, so that the noise does not depend on how a configuration is written
            gradients = [parameter.grad for parameter in encoders[name].parameters() if parameter.grad is not None]
            for gradient in gradients:
                gradient.copy_(self._modulated(gradient, factors[name]))
            processes.spread(gradients if self.noise else [])  # each process has drawn other noise
        self.totals.zero_()
        self.counts.zero_()

    def _factors(self) -> Float[Tensor, " M"]:
        judged = self.counts > 0
        means = self.totals / self.counts.clamp(min=1)
        scores = means.sum(0) / judged.sum(0).clamp(min=1)
        others, comparable = mean_of_others(scores, judged.any(0))
        ratio = scores / others.clamp(min=torch.finfo(scores.dtype).tiny)
        return torch.where(comparable & (ratio > 1), 1 - torch.tanh(self.alpha * ratio), 1.0)

    def _modulated(self, gradient: Float[Tensor, "..."], factor: Float[Tensor, ""]) -> Float[Tensor, "..."]:
        if not self.noise:
            return gradient * factor
        deviation = gradient.std(correction=min(1, gradient.numel() - 1))  # a single number has none
        return gradient * factor + deviation * torch.randn_like(gradient)

    def epoch_end(self, train: Losses, val: Losses) -> None:
        """Nothing to do."""
