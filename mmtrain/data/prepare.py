"""From a source to data sets that give batches."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from mmtrain.data.cache import open_store
from mmtrain.data.columns import missing_columns, with_columns
from mmtrain.data.dataset import Dataset
from mmtrain.data.encode import encode_chunks
from mmtrain.data.encode import progress as progress_bar
from mmtrain.data.fit import fit, fitted_state, load_fitted
from mmtrain.data.live import Live, open_live
from mmtrain.data.paired import with_needed
from mmtrain.data.problems import together
from mmtrain.data.settings import Settings
from mmtrain.data.store import Store, gather, refuse_bad
from mmtrain.data.target import encode_targets
from mmtrain.data.whole import whole_rows_only
from mmtrain.data.words import fitting_words
from mmtrain.errors import DataError
from mmtrain.modality import Modality
from mmtrain.source import TRAIN, Source, Splits
from mmtrain.table import Table
from mmtrain.task import Task

Stores = dict[tuple[str, str], Store | Live]


@dataclass(frozen=True)
class Data:
    """The data set of each split and the fitted parts behind them; `stores` are keyed by table and modality.

    `notes` say what the user should know: cells that could not be read, classes and (many) categories that train never
    saw, modalities that are decoded on the fly.
    """

    splits: dict[str, Dataset]
    modalities: dict[str, Modality]
    tasks: dict[str, Task]
    stores: Stores
    notes: list[str]

    def state(self) -> dict[str, dict[str, Any]]:
        """All that was learned from train, as JSON gives it back; `prepare` and `load_fitted` take it."""
        return fitted_state(self.modalities, self.tasks)


def prepare(
    source: Source,
    settings: Settings,
    modalities: dict[str, Modality],
    tasks: dict[str, Task],
    *,
    progress: bool,
    state: Mapping[str, Any] | None = None,
    whole_rows: bool = False,
) -> Data:
    """Read the tables, fit every part on train, and open the stores, building those that do not exist.

    With `state`, of an earlier run's `Data.state()`, nothing is fitted. `progress` shows a bar for what is built. With `whole_rows`
    rows that lack a modality enter no loss, and those of train lose their labels.

    Raises:
        DataError: a file, a row or a cell cannot be used; no store is left behind half built.
    """
    splits = limited(source.tables(), settings.limit)
    problems = [problem for table in splits.tables.values() for problem in missing_columns("data.modalities", modalities, table)]
    problems += missing_columns("tasks", tasks, splits.tables[splits.rows[TRAIN][0]])
    if problems:
        raise DataError(*problems)
    if state is None:
        table, rows = splits.rows[TRAIN]
        fit(modalities, tasks, splits.tables[table].take(rows))
    else:
        load_fitted(modalities, tasks, state)
    stores = _open_stores(splits, settings, modalities, show=progress)
    datasets = together([partial(_dataset, split, splits, stores, settings, modalities, tasks) for split in splits.rows])
    if whole_rows:
        datasets = [whole_rows_only(dataset, split, train=split == TRAIN) for split, dataset in zip(splits.rows, datasets, strict=True)]
    notes = [note for (table, name), store in stores.items() for note in _notes(name, splits.tables[table], store)]
    notes += [note for dataset in datasets for note in dataset.notes]
    return Data(dict(zip(splits.rows, datasets, strict=True)), modalities, tasks, stores, notes)


def open_rows(
    table: Table,
    settings: Settings,
    modalities: dict[str, Modality],
    tasks: dict[str, Task],
    *,
    ids: list[str] | None = None,
    whole_rows: bool = False,
) -> Dataset:
    """Rows in memory (or decoded on the fly), read by fitted parts; for tables that are read once, such as those to predict.

    A column of labels that is not there labels no row, a column of an input that is not there makes it absent (with a note).
    Rows are called by their numbers unless `ids` are given. With `whole_rows` rows that lack a modality enter no loss.

    Raises:
        DataError: no modality has a column in the table, or a cell cannot be read.
    """
    lacking = missing_columns("data.modalities", modalities, table)
    there = [name for name, modality in modalities.items() if set(modality.columns) & set(table.frame.columns)]
    if not there:
        raise DataError(*lacking)
    table = with_columns(with_columns(table, modalities), tasks)
    with progress_bar(table.file, len(table) * len(modalities), show=True) as done:
        held = together([partial(_hold, modality, table, settings, done) for modality in modalities.values()])
    stores = dict(zip(modalities, held, strict=True))
    encoded, notes = encode_targets(tasks, table, settings)
    targets, wrong = fitting_words(encoded, tasks, table, stores, np.arange(len(table)), modalities, settings)
    notes += wrong
    notes += [note for name, store in stores.items() for note in _notes(name, table, store)]
    notes += _unseen(modalities, stores, np.arange(len(table)), table.file)
    notes += [f"{problem.where}: {problem.found}; it counts as absent" for problem in lacking]
    names = ids if ids is not None else [str(number) for number in table.numbers]
    dataset = with_needed(Dataset(modalities, stores, np.arange(len(table)), targets, names, notes), tasks)
    return whole_rows_only(dataset, table.file, train=False) if whole_rows else dataset


def limited(splits: Splits, limit: int | None) -> Splits:
    """At most `limit` rows of every split, evenly spaced, and no row that belongs to no split: nothing else is decoded."""
    rows = {}
    for split, (table, positions) in splits.rows.items():
        count = len(positions) if limit is None else min(limit, len(positions))
        rows[split] = (table, positions[np.linspace(0, len(positions) - 1, count).round().astype(np.int64)])
    used = {name: np.unique(np.concatenate([found for table, found in rows.values() if table == name])) for name in splits.tables}
    return Splits(
        {name: table if len(used[name]) == len(table) else table.take(used[name]) for name, table in splits.tables.items()},
        {split: (name, np.searchsorted(used[name], positions)) for split, (name, positions) in rows.items()},
        {name: [names[row] for row in used[name]] for name, names in splits.ids.items()},
    )


def _open_stores(splits: Splits, settings: Settings, modalities: Mapping[str, Modality], *, show: bool) -> Stores:
    keys = list(product(splits.tables, modalities))
    calls = [partial(open_store, name, modalities[name], splits.tables[table], settings, show=show) for table, name in keys]
    return dict(zip(keys, together(calls), strict=True))


def _hold(modality: Modality, table: Table, settings: Settings, done: Callable[[int], None]) -> Store | Live:
    """The rows, with nothing written to the disk."""
    live = open_live(modality, table, settings, in_memory=True)
    if live is not None:
        return live
    store = gather(encode_chunks(modality, table, done))
    refuse_bad(store.bad, store.problems, settings)
    return store


def _dataset(
    split: str, splits: Splits, stores: Stores, settings: Settings, modalities: Mapping[str, Modality], tasks: Mapping[str, Task]
) -> Dataset:
    name, rows = splits.rows[split]
    table = splits.tables[name].take(rows)
    lacking = missing_columns("tasks", tasks, table)
    targets, notes = encode_targets(tasks, with_columns(table, tasks), settings)
    notes += [f"{problem.where}: {problem.found}; no row of {split} is labelled" for problem in lacking]
    own = {modality: stores[name, modality] for modality in modalities}
    targets, wrong = fitting_words(targets, tasks, table, own, rows, modalities, settings)
    notes += wrong
    notes += _unseen(modalities, own, rows, f"{split} of {table.file}") if split != TRAIN else []
    return with_needed(Dataset(modalities, own, rows, targets, [splits.ids[name][row] for row in rows], notes), tasks)


def _unseen(modalities: Mapping[str, Modality], stores: Mapping[str, Store | Live], rows: np.ndarray, where: str) -> list[str]:
    """What modalities with a `notes(stored, rows)` of their own, as `collate` takes them, have to say of rows that are not train's."""
    found = [(name, getattr(modality, "notes", None), stores[name]) for name, modality in modalities.items()]
    return [
        f"data.modalities.{name}, {where}: {line}"
        for name, notes, store in found
        if notes is not None and isinstance(store, Store)
        for line in notes(store.arrays, rows)
    ]


def _notes(name: str, table: Table, store: Store | Live) -> list[str]:
    where = f"data.modalities.{name}, {table.file}"
    notes = [f"{where}: cells that cannot be read and count as absent: {store.bad}; the first: {store.problems[0]}"] if store.bad else []
    notes += [f"{where}: {store.why}"] if isinstance(store, Live) else []
    return notes if store.present.any() else [*notes, f"{where}: no row has it"]
