"""Rows from the user's own files."""

import codecs
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np

from mmtrain.errors import ConfigError, DataError, Problem
from mmtrain.option import Column, Fraction
from mmtrain.source.read import Format, read_table, row_ids
from mmtrain.source.split import by_column, by_fraction, dealt, fraction_problems
from mmtrain.source.splits import TEST, TRAIN, VAL, Splits
from mmtrain.source.stack import stacked, stacked_ids
from mmtrain.table import Table


class TableSource:
    """CSV, TSV, JSON lines or Parquet files, one or several, as tables of cells.

    `train`, `val` and `test` name a file each, or a list of files, as one a task, whose rows stand below each other: where a
    file lacks a column of the others, its rows have an empty cell there. Files are relative to `root`, and so are the paths in
    cells (without `root`: to the working folder, and to the table's own folder). The rows of val and of test are files of their
    own or a fraction of train's, or a column of train's files names all three splits. Fractions are dealt out by `split_seed`
    alone, never by the run's seed; rows of each file, and with `stratify` the values of a column, are spread evenly, `group`
    keeps together the rows that share a value (one person, one clip). Test may be absent.

    `id` names the rows (without it, their numbers do, behind the file's name where there are several). A cell is missing when it
    is empty or one of `missing_values`.
    `separator` follows from the file's suffix unless given; `decimal` is the point of numbers written as text.
    """

    def __init__(
        self,
        *,
        train: str | list[str],
        val: str | list[str] | None = None,
        test: str | list[str] | None = None,
        root: str | None = None,
        id: Column | None = None,
        split_column: Column | None = None,
        val_fraction: Fraction = 0.0,
        test_fraction: Fraction = 0.0,
        split_seed: int = 0,
        stratify: Column | None = None,
        group: Column | None = None,
        missing_values: list[str] | None = None,
        encoding: str = "utf-8",
        separator: str | None = None,
        decimal: Literal[".", ","] = ".",
    ) -> None:
        self.root = None if root is None else Path(root).expanduser()
        given = {name: files for name, files in ((TRAIN, train), (VAL, val), (TEST, test)) if files is not None}
        self.files = {name: [files] if isinstance(files, str) else files for name, files in given.items()}
        self.fractions = {name: fraction for name, fraction in ((VAL, val_fraction), (TEST, test_fraction)) if fraction > 0}
        self.id, self.split_column, self.split_seed = id, split_column, split_seed
        self.stratify, self.group = stratify, group
        self.format = Format(missing_values or (), encoding, separator, decimal)
        problems = [*self._split_problems(), *_format_problems(self.format)]
        if problems:
            raise ConfigError(*problems)

    def tables(self) -> Splits:
        """Read the files and deal out their rows.

        Raises:
            DataError: a file or one of its rows cannot be used, or a split is empty.
        """
        tables, ids = {}, {}
        problems: list[Problem] = []
        for name in self.files:
            try:
                tables[name], ids[name] = self._split(name)
            except DataError as error:
                problems += error.problems
        if problems:
            raise DataError(*problems)
        fix = "give it rows"
        if self.group is not None:  # whole groups are dealt out
            groups = tables[TRAIN].frame[self.group].n_unique()
            fix = f"the column '{self.group}' of data.group makes {groups} groups: raise the fraction, or name one that makes more"
        return dealt(tables, ids, self._deal(tables[TRAIN]), fix=fix)

    def _split(self, name: str) -> tuple[Table, list[str]]:
        """All rows of the files of a split, and their names."""
        tables, ids = [], []
        problems: list[Problem] = []
        paths = [(self.root or Path()) / file for file in self.files[name]]
        for file, path in zip(self.files[name], paths, strict=True):
            try:
                tables.append(read_table(path, self.format, file=file, root=self.root))
                ids.append(row_ids(tables[-1], self.id))
            except DataError as error:
                problems += error.problems
        if problems:
            raise DataError(*problems)
        return stacked(tables, f"data.{name}"), stacked_ids(tables, ids, self.id, paths)

    def _deal(self, table: Table) -> dict[str, np.ndarray]:
        if self.split_column is not None:
            return by_column(table, self.split_column)
        if self.fractions:
            return by_fraction(table, self.fractions, self.split_seed, stratify=self.stratify, group=self.group)
        return {}

    def _split_problems(self) -> Iterator[Problem]:
        for name, files in self.files.items():
            if not files:
                yield Problem(f"data.{name}", "names no file", "name one, or leave it out" if name != TRAIN else "name one")
            paths = [os.path.normpath(file) for file in files]
            for file in sorted({path for path in paths if paths.count(path) > 1}):
                yield Problem(f"data.{name}", f"names '{file}' twice", "once is enough")
        if self.split_column is not None:
            others = [*(self.files.keys() - {TRAIN}), *(f"{name}_fraction" for name in self.fractions)]
            for name in sorted(others):
                yield Problem(f"data.{name}", "is given, though data.split_column names every row's split", "give one of the two")
        elif VAL not in self.files and VAL not in self.fractions:
            yield Problem("data.val", "no validation rows are given", "give data.val, data.val_fraction or data.split_column")
        for name in self.fractions.keys() & self.files.keys():
            yield Problem(f"data.{name}_fraction", f"is given, though data.{name} names a file", "give one of the two")
        yield from fraction_problems(self.fractions)
        for name, column in (("stratify", self.stratify), ("group", self.group)):
            if column is not None and not self.fractions:
                yield Problem(f"data.{name}", "is given, but nothing is split by fraction", "give data.val_fraction, or leave it out")


def _format_problems(form: Format) -> Iterator[Problem]:
    if form.separator is not None and len(form.separator.encode()) != 1:
        yield Problem("data.separator", f"'{form.separator}' is not one plain character", 'for a tab write "\\t" in YAML')
    if form.separator is not None and form.separator == form.decimal:
        yield Problem("data.decimal", f"'{form.decimal}' is the separator too", "give one of the two another value")
    try:
        codecs.lookup(form.encoding)
    except LookupError:
        yield Problem("data.encoding", f"'{form.encoding}' is not known", "for example utf-8, cp1252, utf-16")
