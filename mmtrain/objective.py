"""From predictions to what is minimised: each task's mean loss in each view, and their weighted sum."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

import torch
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor, nn

from mmtrain import processes
from mmtrain.batch import FUSED, Batch
from mmtrain.mixing import Mix
from mmtrain.model import Model, Output

Rows = Mapping[str, Mapping[str, int]]  # how many rows are scored, by task and view
Losses = dict[str, dict[str, Float[Tensor, ""]]]  # by task and view


def scored_rows(batches: Iterable[Batch]) -> Rows:
    """Count the scored rows of all batches together."""
    rows: dict[str, Counter[str]] = defaultdict(Counter)
    for batch in batches:
        for task, views in batch.scored.items():
            rows[task].update({view: len(scored) for view, scored in views.items()})
    return rows


def over_processes(rows: Rows) -> Rows:
    """The sums of such counts over all processes."""
    keys, found = _keys(rows), {task: dict(views) for task, views in rows.items()}
    for (task, view), count in zip(keys, processes.sums([rows[task][view] for task, view in keys]), strict=True):
        found[task][view] = count
    return found


def whole_losses(losses: Losses, rows: Rows, zero: Float[Tensor, ""]) -> Losses:
    """The losses of the rows of all processes, each with the graph of this one's rows, as `processes.whole` gives them."""
    whole: Losses = {}
    shares = {(name, view): loss for name, views in losses.items() for view, loss in views.items()}
    for (task, view), loss in processes.whole(shares, _keys(rows), zero).items():
        whole.setdefault(task, {})[view] = loss
    return whole


def _keys(rows: Rows) -> list[tuple[str, str]]:
    return [(task, view) for task in sorted(rows) for view in sorted(rows[task])]


def view_losses(model: Model, output: Output, batch: Batch, rows: Rows) -> Losses:
    """Each task's loss on this batch, of its decision under `fused` and of every view of a single modality.

    A loss is the sum over the view's scored rows, divided by `rows[task][view]`: the scored rows of everything that makes one step,
    so that the losses of accumulated batches add up to the mean. A task without scored rows here is left out, and so is a view.
    Losses are computed in float32.
    """
    losses: Losses = {}
    for task, views in output.views.items():
        found = {FUSED: output.predictions[task]} | {view: prediction for view, prediction in views.items() if view != FUSED}
        scored = batch.scored[task]
        if len(scored[FUSED]) > 0:
            losses[task] = {
                view: _mean(
                    row_losses(model.loss[task], prediction, batch, task, view, output.mix), scored[view], _told(model, output, task, view)
                )
                * (len(scored[view]) / rows[task][view])
                for view, prediction in found.items()
                if len(scored[view]) > 0
            }
    return losses


def row_losses(
    loss: nn.Module, prediction: Shaped[Tensor, "B ..."], batch: Batch, task: str, view: str, mix: Mix | None
) -> Float[Tensor, " S"]:
    """The loss of each scored row of a view.

    Where the partner of a mixed row is scored too, the row's loss is that of both targets, by their shares; of numbers the targets
    themselves are mixed: the sum of two absolute losses is smallest at the nearer target, whatever the shares.
    """
    scored, target = batch.scored[task][view], batch.targets[task]
    prediction, own = prediction[scored].float(), target[scored]
    if mix is None:
        return loss(prediction, own)
    usable = torch.zeros(len(batch), dtype=torch.bool, device=scored.device).index_fill(0, scored, True)
    partner, share = mix.partner[scored], mix.share[scored]
    other = target[torch.where(usable[partner], partner, scored)]
    if target.is_floating_point():
        return loss(prediction, own + (1 - share.reshape(-1, *[1] * (own.ndim - 1))) * (other - own))
    return share * loss(prediction, own) + (1 - share) * loss(prediction, other)


def _told(model: Model, output: Output, task: str, view: str) -> Bool[Tensor, " B"] | None:
    """The rows of which a view can tell a task anything in this pass, of which `missing.dropout` may have taken modalities away; None is
    all rows."""
    if view != FUSED:
        return output.answers[view]
    needed = [output.real[modality] for modality in model.tasks[task].spec.modalities]
    return torch.stack(needed).all(0) if needed else None


def _mean(losses: Float[Tensor, " S"], scored: Int[Tensor, " S"], told: Bool[Tensor, " B"] | None) -> Float[Tensor, ""]:
    """Over those of the scored rows of which the view can tell anything."""
    if told is None:
        return losses.mean()
    there = told[scored]
    return torch.where(there, losses, 0.0).sum() / there.sum().clamp(min=1)


def total(losses: Mapping[str, Float[Tensor, ""]], weights: Mapping[str, float]) -> Float[Tensor, ""]:
    """The weighted sum of a task's losses over its views."""
    return torch.stack([weights[view] * loss for view, loss in losses.items() if weights[view] > 0]).sum()


def view_weights(rows: Mapping[str, int], auxiliary: float) -> dict[str, float]:
    """What the views of a task count in a step, by the rows that each has in it: the decision 1, all others together `auxiliary`."""
    others = [view for view, count in rows.items() if view != FUSED and count > 0]
    return {FUSED: 1.0} | dict.fromkeys(others, auxiliary / max(len(others), 1))
