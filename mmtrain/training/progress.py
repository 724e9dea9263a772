"""Where a training stands."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """Where training stands. `epoch` counts whole epochs done, `batch` the batches done in the next one, `step` optimizer steps.

    `best` holds the best score on val and that epoch's loss, less itself; `stale` counts the epochs since. `empty` counts groups of
    batches without any labelled row, which make no step.
    `seconds` is the time spent on train rows, `epoch_seconds` that of the epoch under way.
    """

    epoch: int = 0
    batch: int = 0
    step: int = 0
    samples: int = 0
    seconds: float = 0.0
    epoch_seconds: float = 0.0
    empty: int = 0
    best_epoch: int = 0
    best: list[float] | None = None
    selected_by: str = "skill"
    stale: int = 0
