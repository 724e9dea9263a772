"""Temperature scaling: how sure the answers should be, found on validation after training."""

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from mmtrain import checkpoint
from mmtrain.batch import FUSED
from mmtrain.data import Dataset
from mmtrain.folder import RunFolder
from mmtrain.model import Model
from mmtrain.runtime import Runtime
from mmtrain.spec import TaskSpec
from mmtrain.training.meter import predictions

COLDEST, HOTTEST = 0.05, 20.0  # rows that are all answered right would ask for a temperature of 0


@dataclass(frozen=True)
class Calibration:
    """The temperature of a task, and its calibration error on validation before and after; None where no row could tell."""

    temperature: float
    before: float | None
    after: float | None

    def line(self, task: str) -> str:
        """For the log."""
        if self.before is None or self.after is None:
            return f"tasks.{task}: no row of val can tell its temperature, which stays 1"
        limit = ", the limit" if not COLDEST * 1.01 < self.temperature < HOTTEST / 1.01 else ""
        return f"tasks.{task}: temperature {self.temperature:.3f}{limit}; ece on val {self.before:.3f} before, {self.after:.3f} after"


def calibrate_best(folder: RunFolder, model: Model, dataset: Dataset, runtime: Runtime, *, batch_size: int) -> dict[str, Calibration]:
    """Calibrate a model that has the best weights, and keep the temperatures in their checkpoint; the last one, with which a run goes
    on, has none."""
    found = calibrate(model, dataset, runtime, batch_size=batch_size)
    if found:
        state = checkpoint.load(folder.best)
        for part in ("model", "average"):  # without an average of the weights there is nothing in the second
            state[part] |= {f"temperature_{task}": model.get_buffer(f"temperature_{task}") for task in found if state[part]}
        checkpoint.save(folder.best, state)
    return found


def calibrate(model: Model, dataset: Dataset, runtime: Runtime, *, batch_size: int) -> dict[str, Calibration]:
    """Give every task that may have one the temperature with the least log loss on these rows; the model is left in evaluation mode.

    Rows count that have a label which train knows, and something to be predicted from. Answers do not change, nor does what ranks
    them: only probabilities do.

    Source: Guo et al. 2017, On Calibration of Modern Neural Networks, section 4.2. There for classes; a yes-or-no question is
    two of them, with logits 0 and z, and the labels of a set are so many questions with one temperature.
    """
    for task in model.calibrated:
        model.get_buffer(f"temperature_{task}").fill_(1.0)
    kept: dict[str, tuple[list[Tensor], list[Tensor]]] = {task: ([], []) for task in model.calibrated}
    for batch, output in predictions(model, dataset, runtime, batch_size=batch_size) if kept else ():
        for task, (found, targets) in kept.items():
            scored = batch.scored[task][FUSED]
            found.append(output.predictions[task][scored].double().cpu())
            targets.append(batch.targets[task][scored].cpu())
    return {task: _calibrated(model, task, torch.cat(found), torch.cat(targets)) for task, (found, targets) in kept.items()}


def _calibrated(model: Model, name: str, prediction: Tensor, target: Tensor) -> Calibration:
    if len(target) == 0 or not prediction.isfinite().all():
        return Calibration(1.0, None, None)
    task, buffer = model.tasks[name], model.get_buffer(f"temperature_{name}")
    buffer.fill_(best_temperature(prediction, target, task.spec))
    before, after = (task.evaluate(task.answer(logits), target.numpy())["ece"] for logits in (prediction, prediction / buffer.item()))
    return Calibration(buffer.item(), before, after)


def best_temperature(prediction: Float[Tensor, "n ..."], target: Int[Tensor, "n ..."], task: TaskSpec) -> float:
    """The temperature, within limits, at which logits over it have the least mean log loss.

    That loss is convex in 1 / temperature, and so has one valley in its logarithm, too.
    """
    from scipy.optimize import minimize_scalar  # importing it takes a tenth of a second, which most commands have no use for

    def loss(log_temperature: float) -> float:
        return float(log_loss(prediction * torch.tensor(-log_temperature).exp(), target, task))

    limits = tuple(torch.tensor([COLDEST, HOTTEST], dtype=torch.float64).log().tolist())
    found: Any = minimize_scalar(loss, bounds=limits, method="bounded", options={"xatol": 1e-7})
    return float(torch.tensor(found.x, dtype=torch.float64).exp())


def log_loss(logits: Float[Tensor, "n ..."], target: Int[Tensor, "n ..."], task: TaskSpec) -> Float[Tensor, ""]:
    """Mean over rows (of sets: over all pairs of a row and a label) of what the true label's probability costs, in nats."""
    if task.prediction == "classes":
        return cross_entropy(logits, target)
    known = target[:, : logits.shape[1]] if logits.ndim == 2 else target  # of sets, without the column of labels that train never saw
    return binary_cross_entropy_with_logits(logits, known.to(logits.dtype))
