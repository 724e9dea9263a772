"""`mmtrain evaluate`: every metric of a trained model on one split of its data."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from mmtrain.assembly import data_parts
from mmtrain.data import Dataset, prepare
from mmtrain.errors import ConfigError, DataError, Problem
from mmtrain.folder import RunFolder
from mmtrain.trained import Trained, load
from mmtrain.training.display import classes_table, metrics_table
from mmtrain.training.meter import Scores
from mmtrain.training.meter import evaluate as score


def evaluate(
    run: Path, split: str = "test", *, overrides: Sequence[str] = (), trust: Sequence[str] = (), per_class: bool = False
) -> Scores:
    """Print, and return, each task's metrics on the rows of `split` (train, val or test), with the preprocessing of the run.

    `overrides` say where the data lie now, or name another file for a split. With `per_class` a table of all labels follows for
    each task of classes.

    Raises:
        RunError: `run` is not a run folder, or holds no checkpoint.
        ConfigError: the data have no such split.
        DataError: the data cannot be read, or the split has other rows than when the run was trained.
    """
    trained, dataset = open_split(run, split, overrides=overrides, trust=trust)
    scores = score(trained.model, dataset, trained.runtime, batch_size=trained.batch_size, per_class=per_class)
    console = Console(markup=False, emoji=False)  # a note may hold brackets
    for note in [*dataset.notes, *scores.notes(split)]:
        console.print(f"note: {note}", highlight=False, soft_wrap=True)
    console.print(metrics_table(scores.tasks, trained.tasks, split))
    if scores.skill is not None:
        console.print(f"mean skill {scores.skill:.3f}", highlight=False)
    for name, classes in scores.classes.items():
        console.print(classes_table(name, classes))
    return scores


def open_split(run: Path, split: str, *, overrides: Sequence[str] = (), trust: Sequence[str] = ()) -> tuple[Trained, Dataset]:
    """The best model of a run, and the rows of a split as it reads them.

    Raises:
        UserError: as `evaluate`.
    """
    trained, folder = load(run, overrides=overrides, trust=trust), RunFolder(run)
    parts = data_parts(trained.config)
    state, whole_rows = folder.preprocessing(), trained.config.whole_rows
    data = prepare(parts.source, parts.settings, parts.modalities, parts.tasks, progress=True, state=state, whole_rows=whole_rows)
    if split not in data.splits:
        raise ConfigError(Problem("--split", f"the data have no '{split}'", f"allowed: {', '.join(data.splits)}"))
    dataset = data.splits[split]
    if not overrides and dataset.ids != folder.splits().get(split):  # dealt out anew, they might be rows that it was trained on
        found = f"the rows of '{split}' are not those of the run: the table has changed"
        raise DataError(Problem(str(run), found, f"name a file of its own with data.{split}=FILE"))
    return trained, dataset
