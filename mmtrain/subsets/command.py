"""`mmtrain evaluate RUN --subsets`: every metric of a trained model under every subset of its modalities.

`subsets.json` in the run folder holds

    split, rows                     what was scored, and how many rows it has
    overrides                       where the data were said to lie; [] where the run's own were read
    modalities                      all of them, by name
    metrics, units                  {task: the metric that its skill is measured in}, {task: the unit of that metric, if it has one}
    possible                        the number of subsets that there are; `subsets` holds all of them up to six modalities, else a sample
    subsets                         [{modalities, any, whole, skill, tasks}], larger subsets first
    shares                          [{share, any, whole, skill, tasks}], by the share of the cells that was taken away

`any` counts the rows that keep at least one modality, `whole` those that keep all of `modalities`; all others lack what they lack,
and a row that keeps nothing is answered with the task's constant answer. `skill` is the mean over the tasks, `tasks` is {name: {rows,
every metric, constant, skill}} over all labelled rows, whatever they keep. What is undefined is null.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from mmtrain.data.encode import progress
from mmtrain.errors import ConfigError, Problem
from mmtrain.evaluate import open_split
from mmtrain.folder import RunFolder
from mmtrain.subsets.cuts import choose, thinned
from mmtrain.subsets.page import page
from mmtrain.subsets.tables import KEY, tables
from mmtrain.training.cut import Cut, answer_cuts, only
from mmtrain.training.display import IN_UNITS
from mmtrain.training.meter import Scores

Subset = tuple[str, ...]


def subsets(run: Path, split: str = "test", *, overrides: Sequence[str] = (), trust: Sequence[str] = ()) -> dict[str, Any]:
    """Print, and write into the run folder, how good the best model is on `split` with fewer modalities; returns what is written.

    Raises:
        RunError: `run` is not a run folder, holds no checkpoint, or cannot be written to.
        ConfigError: the data have no such split, or the model has a single modality.
        DataError: the data cannot be read, or the split has other rows than when the run was trained.
    """
    trained, dataset = open_split(run, split, overrides=overrides, trust=trust)
    names = sorted(trained.modalities)
    if len(names) == 1:
        raise ConfigError(Problem("--subsets", f"the run has one modality, '{names[0]}'", "there is nothing to take away"))
    chosen, thin = choose(names), thinned(dataset.present)
    cuts: dict[Subset | float, Cut] = {kept: only(kept, len(dataset)) for kept in chosen[1:]}  # the first is all of them
    cuts |= {share: cut for share, cut in thin.items() if share > 0}
    with progress(f"{split}, {len(cuts) + 1} times", len(dataset), show=True) as done:
        size = trained.batch_size
        meter, meters = answer_cuts(trained.model, dataset, trained.runtime, batch_size=size, cuts=cuts, done=done)
    whole = meter.scores()
    found = {name: meters[name].scores() if name in meters else whole for name in (*chosen, *thin)}
    content = {
        "split": split,
        "rows": len(dataset),
        "overrides": list(overrides),
        "modalities": names,
        "metrics": {name: task.metric for name, task in trained.tasks.items()},
        "units": {name: task.unit for name, task in trained.tasks.items() if task.unit and task.metric in IN_UNITS},
        "possible": 2 ** len(names) - 1,
        "subsets": [{"modalities": list(kept)} | _kept([dataset.present[name] for name in kept]) | _plain(found[kept]) for kept in chosen],
        "shares": [
            {"share": share} | _kept([dataset.present[name] & cut[name].numpy() for name in names]) | _plain(found[share])
            for share, cut in thin.items()
        ],
    }
    notes = [*dataset.notes, *whole.notes(split), *([_WHOLE_ROWS] if dataset.whole_rows else [])]
    _print(content, notes)
    folder = RunFolder(run)
    folder.write_subsets(content, page(content, notes))
    return content


_WHOLE_ROWS = "missing=drop answers whole rows alone: a row that lacks a modality gets the constant answer, whatever else it has"


def _kept(present: Sequence[np.ndarray]) -> dict[str, int]:
    return {"any": int(np.logical_or.reduce(present).sum()), "whole": int(np.logical_and.reduce(present).sum())}


def _plain(scores: Scores) -> dict[str, Any]:
    tasks = {name: {key: value for key, value in found.items() if key != "loss"} for name, found in scores.tasks.items()}
    return {"skill": scores.skill, "tasks": tasks}


def _print(content: dict[str, Any], notes: Iterable[str]) -> None:
    console = Console(markup=False, emoji=False)  # a note may hold brackets
    for note in notes:
        console.print(f"note: {note}", highlight=False, soft_wrap=True)
    for title, parts in tables(content, console.width):
        console.print(title, highlight=False, soft_wrap=True)
        for part in parts:
            console.print(part)
    console.print(KEY, highlight=False, soft_wrap=True)
