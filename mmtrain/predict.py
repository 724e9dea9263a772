"""`mmtrain predict`: a file of raw rows in, a file of predictions out."""

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import polars as pl
from rich.console import Console

from mmtrain.assembly import data_parts
from mmtrain.errors import ConfigError, DataError, Problem
from mmtrain.source import row_ids
from mmtrain.trained import load
from mmtrain.training.display import metrics_table

_WRITERS: dict[str, Callable[[pl.DataFrame, Path], None]] = {
    ".csv": lambda frame, path: flat(frame).write_csv(path),
    ".tsv": lambda frame, path: flat(frame).write_csv(path, separator="\t"),
    ".parquet": lambda frame, path: frame.write_parquet(path),
}


def predict(run: Path, file: Path, output: Path, *, root: Path | None = None, trust: Sequence[str] = ()) -> pl.DataFrame:
    """Predict every row of `file` with the best model of a run and write `output` (CSV, TSV or Parquet, by its suffix).

    Paths in cells start at `root`, by default the folder of `file`. Labels may be there: then metrics are printed too.

    Raises:
        UserError: the run, the file or a cell cannot be used; `output` is not touched then.
    """
    if output.suffix.lower() not in _WRITERS:
        raise ConfigError(Problem("--output", f"'{output}' has no known suffix", f"allowed: {', '.join(_WRITERS)}"))
    if not output.parent.is_dir():
        raise ConfigError(Problem("--output", f"there is no folder '{output.parent}'", "make it first"))
    if not file.is_file():
        raise DataError(Problem(str(file), "no such file", "name a table of rows to predict"))
    if output.exists() and output.samefile(file):
        raise ConfigError(Problem("--output", f"'{output}' is the table that is to be predicted", "name another file"))
    trained = load(run, trust=trust)
    for split in trained.config.tables:
        if output.exists() and split.exists() and output.samefile(split):
            raise ConfigError(Problem("--output", f"'{output}' is a table that the run was given", "name another file"))
    table = trained.read(file, root=root)
    id_column = getattr(data_parts(trained.config).source, "id", None)
    named = id_column is not None and id_column in table.frame.columns
    ids = row_ids(table, id_column if named else None)
    dataset = trained.rows(table, ids=ids)
    answers = trained.answers(dataset)
    predicted = trained.decode(answers)
    key = str(id_column) if named else "row"
    key = f"{key}.id" if key in predicted.columns else key  # a task may be called like the column of the ids
    frame = pl.DataFrame({key: ids}).hstack(predicted)
    part = output.with_name(output.name + ".part")
    _WRITERS[output.suffix.lower()](frame, part)
    os.replace(part, output)
    console = Console(markup=False, emoji=False)  # a note may hold brackets
    for line in (*(f"note: {note}" for note in dataset.notes), f"{len(frame):,} rows written to {output}"):
        console.print(line, highlight=False, soft_wrap=True)
    if any(labelled.any() for labelled in dataset.labelled.values()):
        console.print(metrics_table(trained.score(dataset, answers), trained.tasks, file.name))
    return frame


def flat(frame: pl.DataFrame) -> pl.DataFrame:
    """The table with lists as JSON, for files whose cells are text."""
    lists = [name for name, dtype in frame.schema.items() if dtype.is_nested()]
    return frame.with_columns(pl.Series(name, [_json(cell) for cell in frame[name].to_list()], pl.String) for name in lists)


def _json(cell: list[Any] | None) -> str | None:
    """An empty cell stays empty."""
    return None if cell is None else json.dumps(cell, ensure_ascii=False)
