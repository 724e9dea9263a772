"""The epochs in which a method works."""

from dataclasses import dataclass

from mmtrain.errors import ConfigError, Problem


@dataclass(frozen=True)
class Window:
    """Epochs from `first` to `last`, counted from 1, both included; None is no end.

    Raises:
        ConfigError: it ends before it begins.
    """

    first: int
    last: int | None

    def __post_init__(self) -> None:
        if self.last is not None and self.last < self.first:
            found = f"{self.last} is before modality_balance.first_epoch={self.first}"
            raise ConfigError(Problem("last_epoch", found, "raise it, or leave it out"))

    def __contains__(self, epoch: int) -> bool:
        return self.first <= epoch and (self.last is None or epoch <= self.last)
