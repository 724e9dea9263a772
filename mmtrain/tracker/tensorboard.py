"""TensorBoard events in `<run folder>/tensorboard`."""

from collections.abc import Mapping
from pathlib import Path

from torch.utils.tensorboard import SummaryWriter


class TensorBoard:
    """Writes each number as a scalar: `train/loss`, `val/digit/accuracy`, ... . The event file begins with the first number."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "tensorboard"
        self._writer: SummaryWriter | None = None

    def log(self, step: int, numbers: Mapping[str, float]) -> None:
        """Add one point to each named curve."""
        if self._writer is None:
            self._writer = SummaryWriter(str(self._folder))
        for name, number in numbers.items():
            self._writer.add_scalar(name, number, step)

    def flush(self) -> None:
        """Have everything on disk, so that a checkpoint may state the files' sizes."""
        if self._writer is not None:
            self._writer.flush()

    def close(self) -> None:
        """End the event file."""
        if self._writer is not None:
            self._writer.close()
