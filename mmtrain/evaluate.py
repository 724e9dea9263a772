"""`mmtrain evaluate`: every metric of a trained model on one split of its data."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from mmtrain.assembly import data_parts
from mmtrain.data import prepare
from mmtrain.errors import ConfigError, DataError, Problem
from mmtrain.folder import RunFolder
from mmtrain.trained import load
from mmtrain.training.display import metrics_table
from mmtrain.training.meter import Scores
from mmtrain.training.meter import evaluate as score


def evaluate(run: Path, split: str = "test", *, overrides: Sequence[str] = (), trust: Sequence[str] = ()) -> Scores:
    """Print, and return, each task's metrics on the rows of `split` (train, val or test), with the preprocessing of the run.

    `overrides` say where the data lie now, or name another file for a split.

    Raises:
        RunError: `run` is not a run folder, or holds no checkpoint.
        ConfigError: the data have no such split.
        DataError: the data cannot be read, or the split has other rows than when the run was trained.
    """
    trained, folder = load(run, overrides=overrides, trust=trust), RunFolder(run)
    parts = data_parts(trained.config)
    data = prepare(parts.source, parts.settings, parts.modalities, parts.tasks, progress=True, state=folder.preprocessing())
    if split not in data.splits:
        raise ConfigError(Problem("--split", f"the data have no '{split}'", f"allowed: {', '.join(data.splits)}"))
    dataset = data.splits[split]
    if not overrides and dataset.ids != folder.splits().get(split):  # dealt out anew, they might be rows that it was trained on
        found = f"the rows of '{split}' are not those of the run: the table has changed"
        raise DataError(Problem(str(run), found, f"name a file of its own with data.{split}=FILE"))
    scores = score(trained.model, dataset, trained.runtime, batch_size=trained.batch_size)
    console = Console(markup=False, emoji=False)  # a note may hold brackets
    for note in [*dataset.notes, *scores.notes(split)]:
        console.print(f"note: {note}", highlight=False, soft_wrap=True)
    console.print(metrics_table(scores.tasks, trained.tasks, split))
    if scores.skill is not None:
        console.print(f"mean skill {scores.skill:.3f}", highlight=False)
    return scores
