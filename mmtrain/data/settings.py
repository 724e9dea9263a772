"""Options of the data that are not the source's own."""

from dataclasses import dataclass
from typing import Literal

from mmtrain.option import Count, Positive


@dataclass(frozen=True)
class Settings:
    """How tables become stores.

    `name` stands in the paths of runs and stores. `cache` is the folder of the stores (default: `mmtrain` in the user's cache
    folder). Pictures or sounds of one table that would take more than `cache_limit_gb` (GiB; null: any size is kept) are not
    stored, but decoded whenever their rows are used; so are those to predict that would take more than 4 GiB of memory.
    `limit` keeps at most so many rows of each split, evenly spaced, for a quick try. `on_bad` says what a cell that cannot be read
    costs: the command, or the cell. `on_unseen` says the same of a class in val or test that train never saw.
    """

    name: str
    cache: str | None = None
    cache_limit_gb: Positive | None = 50.0
    limit: Count | None = None
    on_bad: Literal["error", "absent"] = "error"
    on_unseen: Literal["warn", "error"] = "warn"
