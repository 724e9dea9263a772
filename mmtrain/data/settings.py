"""Options of the data that are not the source's own."""

from dataclasses import dataclass
from typing import Literal

from mmtrain.option import Count


@dataclass(frozen=True)
class Settings:
    """How tables become stores.

    `name` stands in the paths of runs and stores. `cache` is the folder of the stores (default: `mmtrain` in the user's cache
    folder). `limit` keeps at most so many rows of each split, evenly spaced, for a quick try. `on_bad` says what a cell that
    cannot be read costs: the command, or the cell. `on_unseen` says the same of a class in val or test that train never saw.
    """

    name: str
    cache: str | None = None
    limit: Count | None = None
    on_bad: Literal["error", "absent"] = "error"
    on_unseen: Literal["warn", "error"] = "warn"
