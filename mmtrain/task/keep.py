"""What is kept of predictions until all rows are predicted."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from mmtrain.task.protocol import Task


def condensed(task: Task, prediction: Tensor) -> Tensor:
    """What `task.answer` will need of a batch's predictions, (B, ...), in float32 where they are numbers; see `Task`."""
    condense = getattr(task, "condense", None)
    prediction = prediction.detach()
    kept: Tensor = prediction if condense is None else condense(prediction)
    return kept.float() if kept.is_floating_point() else kept


def join(parts: Sequence[Tensor]) -> Tensor:
    """The rows of all batches, one behind the other. Where batches differ in their second dimension, shorter ones end in 0."""
    if parts[0].ndim < 2:
        return torch.cat(list(parts))
    longest = max(part.shape[1] for part in parts)
    # padding counts from the last dimension: nothing there, then as much as is lacking in the second
    return torch.cat([functional.pad(part, (0, 0) * (part.ndim - 2) + (0, longest - part.shape[1])) for part in parts])
