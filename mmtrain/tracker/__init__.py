"""Trackers: named numbers at a step in, curves somewhere else out.

A tracker gets the run folder and offers `log(step, numbers)`, `flush()` and `close()`. What it writes into the
run folder's `tensorboard` is cut back to the last checkpoint when a run is resumed; elsewhere that is its own affair. To add one:
a module here, an export below, `configs/tracker/<name>.yaml`, a test.
"""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from mmtrain.tracker.none import Nothing
from mmtrain.tracker.tensorboard import TensorBoard


@runtime_checkable
class Tracker(Protocol):
    """What the loop calls."""

    def log(self, step: int, numbers: Mapping[str, float]) -> None:
        """Add one point to each named curve."""

    def flush(self) -> None:
        """Have everything on disk."""

    def close(self) -> None:
        """End the files."""


__all__ = ["Nothing", "TensorBoard", "Tracker"]
