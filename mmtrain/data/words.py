"""Labels of single words, held against the words of the text that they belong to."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from mmtrain.data.live import Live
from mmtrain.data.settings import Settings
from mmtrain.data.store import Ragged, Store
from mmtrain.data.target import SHOWN, Target
from mmtrain.errors import DataError, Problem
from mmtrain.modality import Modality
from mmtrain.spec import PADDING
from mmtrain.table import Table
from mmtrain.task import Task


@dataclass(frozen=True)
class _Text:
    """How many words each row has, and in which rows the last ones are cut off."""

    words: np.ndarray
    cut: np.ndarray


def fitting_words(
    targets: Mapping[str, Target],
    tasks: Mapping[str, Task],
    table: Table,
    stores: Mapping[str, Store | Live],
    rows: np.ndarray,
    modalities: Mapping[str, Modality],
    settings: Settings,
) -> tuple[dict[str, Target], list[str]]:
    """The targets, those of single words only where a row has one for each word, and what the user should know of them.

    `rows` are the table's rows in the stores. A row without the text keeps its labels.

    Raises:
        DataError: a row has more or fewer labels than words, and `data.on_bad` is `error`.
    """
    found, notes = dict(targets), list[str]()
    for name, task in tasks.items():
        for modality in task.modalities if getattr(task, "by_word", False) else ():
            text = _text(stores[modality], rows, modalities[modality])
            counts = (targets[name].values != PADDING).sum(1)
            wrong = targets[name].labelled & (text.words > 0) & np.where(text.cut, counts < text.words, counts != text.words)
            if wrong.any():
                notes.append(_told(np.flatnonzero(wrong), counts, text.words, table, task, modality, settings))
                found[name] = _without(targets[name], wrong)
    return found, notes


def _text(store: Store | Live, rows: np.ndarray, modality: Modality) -> _Text:
    assert isinstance(store, Store), "texts are never decoded on the fly"
    words = store.arrays["words"]
    assert isinstance(words, Ragged)
    padded, mask = words.pad(rows)
    limit = modality.spec.max_length
    return _Text(padded.max(1, initial=0), mask.sum(1) >= limit if limit is not None else np.zeros(len(rows), bool))


def _told(wrong: np.ndarray, counts: np.ndarray, words: np.ndarray, table: Table, task: Task, modality: str, settings: Settings) -> str:
    """A sentence about the rows that do not fit."""
    column = task.columns[0]
    problems = [
        Problem(f"{table.place(row)}, column '{column}'", f"{counts[row]} labels for the {words[row]} words of '{modality}'")
        for row in wrong[:SHOWN]
    ]
    if settings.on_bad == "error":
        fix = f"one label a word; if the words come parted by blanks, set data.modalities.{modality}.split=blanks; or data.on_bad=absent"
        total = Problem(f"tasks.{task.name}", f"rows with more or fewer labels than words: {len(wrong)}, the first are named above", fix)
        raise DataError(*problems, total)
    return (
        f"tasks.{task.name}: rows with more or fewer labels than words, which count as unlabelled: {len(wrong)}; the first: {problems[0]}"
    )


def _without(target: Target, rows: np.ndarray) -> Target:
    values = np.where(rows[:, None], PADDING, target.values)
    return replace(target, values=values, labelled=target.labelled & ~rows, usable=target.usable & ~rows)
