"""No curves; `metrics.jsonl` is written all the same."""

from collections.abc import Mapping
from pathlib import Path


class Nothing:
    """Tracks nothing."""

    def __init__(self, folder: Path) -> None:
        del folder

    def log(self, step: int, numbers: Mapping[str, float]) -> None:
        """Drop the numbers."""

    def flush(self) -> None:
        """Nothing waits to be written."""

    def close(self) -> None:
        """Nothing is open."""
