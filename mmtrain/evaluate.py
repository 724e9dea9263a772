"""`mmtrain evaluate`: every metric of a trained model on one split of its data."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from mmtrain.assembly import data_parts
from mmtrain.data import prepare
from mmtrain.errors import ConfigError, Problem
from mmtrain.folder import RunFolder
from mmtrain.trained import load
from mmtrain.training.display import metrics_table


def evaluate(run: Path, split: str = "test", *, trust: Sequence[str] = ()) -> dict[str, dict[str, Any]]:
    """Print, and return, each task's metrics on the rows of `split` (train, val or test), with the preprocessing of the run.

    Raises:
        RunError: `run` is not a run folder, or holds no checkpoint.
        ConfigError: the data have no such split.
        DataError: the data cannot be read.
    """
    trained = load(run, trust=trust)
    parts = data_parts(trained.config)
    state = RunFolder(run).preprocessing()
    data = prepare(parts.source, parts.settings, parts.modalities, parts.tasks, progress=True, state=state)
    if split not in data.splits:
        raise ConfigError(Problem("--split", f"the data have no '{split}'", f"allowed: {', '.join(data.splits)}"))
    dataset = data.splits[split]
    found = trained.score(dataset, trained.answers(dataset))
    console = Console(markup=False, emoji=False)  # a note may hold brackets
    for note in dataset.notes:
        console.print(f"note: {note}", highlight=False, soft_wrap=True)
    console.print(metrics_table(found, trained.tasks, split))
    return found
