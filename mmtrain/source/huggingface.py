"""Data sets in the format of the library `datasets`: from the hub, or from a folder."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from mmtrain.errors import ConfigError, DataError, Problem, nearest
from mmtrain.option import Column, Fraction
from mmtrain.source.read import Format, as_table, row_ids
from mmtrain.source.split import by_fraction, dealt, fraction_problems
from mmtrain.source.splits import TEST, TRAIN, VAL, Splits
from mmtrain.table import Table

USUAL = {TRAIN: ("train",), VAL: ("validation", "val", "valid", "dev"), TEST: ("test",)}  # what the hub calls its splits


class HuggingfaceSource:
    """A data set of the hub, by name, or from a local path: what `save_to_disk` wrote, or a folder of Parquet, CSV or JSON files.

    `configuration` and `revision` choose among several of one name. `train`, `val` and `test` name its splits; without them
    the usual names are looked for (train; validation, val, valid or dev; test). A split that it lacks takes a fraction of
    train, dealt out by `split_seed`: `stratify` spreads the values of a column evenly, `group` keeps together the rows that
    share a value. `val_fraction` and `test_fraction` count for nothing where there is such a split.

    Columns stay as they are, but pictures and sounds become encoded files or paths, and numbered classes their names.
    `id` names the rows (without it, their numbers do). A cell is missing when it is empty or one of `missing_values`.
    """

    def __init__(
        self,
        *,
        dataset: str,
        configuration: str | None = None,
        revision: str | None = None,
        train: str | None = None,
        val: str | None = None,
        test: str | None = None,
        id: Column | None = None,
        val_fraction: Fraction = 0.1,
        test_fraction: Fraction = 0.0,
        split_seed: int = 0,
        stratify: Column | None = None,
        group: Column | None = None,
        missing_values: list[str] | None = None,
    ) -> None:
        self.dataset, self.configuration, self.revision = dataset, configuration, revision
        self.names = {TRAIN: train, VAL: val, TEST: test}
        self.fractions = {VAL: val_fraction, TEST: test_fraction}
        self.id, self.split_seed = id, split_seed
        self.stratify, self.group = stratify, group
        self.format = Format(missing_values or ())
        problems = list(fraction_problems(self.fractions))
        if problems:
            raise ConfigError(*problems)

    def tables(self) -> Splits:
        """Load the splits.

        Raises:
            ConfigError: the library `datasets` is not installed, or the data set has no such split.
            DataError: there is no such data set, or it cannot be reached or read.
        """
        whole = self._loaded()
        tables = {name: self._table(spelling, whole[spelling]) for name, spelling in self._spellings(whole).items()}
        ids = {name: row_ids(table, self.id) for name, table in tables.items()}
        fractions = {name: fraction for name, fraction in self.fractions.items() if fraction > 0 and name not in tables}
        if VAL not in tables and VAL not in fractions:
            raise ConfigError(Problem("data.val_fraction", f"is 0, and '{self.dataset}' has no validation rows of its own", "raise it"))
        shares = by_fraction(tables[TRAIN], fractions, self.split_seed, stratify=self.stratify, group=self.group) if fractions else {}
        return dealt(tables, ids, shares)

    def _loaded(self) -> Mapping[str, Any]:
        """The data set's splits by their own names."""
        try:
            import datasets
        except ImportError as error:
            fix = 'pip install "mmtrain[huggingface]"'
            raise ConfigError(Problem("data", "a source of Hugging Face data needs the library datasets", fix)) from error
        try:
            folder = Path(self.dataset).expanduser()
            if any((folder / name).is_file() for name in ("dataset_dict.json", "state.json")):
                found = datasets.load_from_disk(folder)
            else:
                found = datasets.load_dataset(str(folder) if folder.exists() else self.dataset, self.configuration, revision=self.revision)
        except Exception as error:  # the network, the hub and the files each have errors of their own
            first = next(iter(str(error).splitlines()), type(error).__name__)
            fix = "without a connection, give the path of a folder that holds it"
            raise DataError(Problem("data.dataset", f"'{self.dataset}' cannot be loaded: {first}", fix)) from error
        return {TRAIN: found} if isinstance(found, datasets.Dataset) else found

    def _spellings(self, whole: Mapping[str, Any]) -> dict[str, str]:
        """What the data set calls each split that it has."""
        unknown = [(name, spelling) for name, spelling in self.names.items() if spelling is not None and spelling not in whole]
        if unknown:
            found = [
                Problem(f"data.{name}", f"'{self.dataset}' has no split '{spelling}'", nearest(spelling, whole))
                for name, spelling in unknown
            ]
            raise ConfigError(*found)
        usual = {name: next((spelling for spelling in USUAL[name] if spelling in whole), None) for name in USUAL}
        spellings = {name: given or usual[name] for name, given in self.names.items()}
        if spellings[TRAIN] is None:
            raise ConfigError(Problem("data.train", f"'{self.dataset}' has no split 'train'", f"choose one: {', '.join(sorted(whole))}"))
        return {name: spelling for name, spelling in spellings.items() if spelling is not None}

    def _table(self, split: str, rows: Any) -> Table:
        """Cells as they are stored; what is a picture, a sound or a class is known from the data set's features."""
        file = f"{self.dataset}/{split}"
        if not len(rows):
            raise DataError(Problem("data.dataset", f"'{file}' holds no rows"))
        files = [name for name, feature in rows.features.items() if hasattr(feature, "decode")]
        for name in files:
            rows = rows.cast_column(name, type(rows.features[name])(decode=False))
        frame = rows.with_format("polars")[:]
        named = {name: feature for name, feature in rows.features.items() if _classes(feature)}
        frame = frame.with_columns(_named(name, feature) for name, feature in named.items())
        frame = frame.with_columns(_encoded(frame[name]) for name in files)
        return as_table(frame, self.format, file, np.arange(1, frame.height + 1), None)


def _classes(feature: Any) -> list[str] | None:
    """Names of the classes of a column that holds numbers of classes, or lists of them."""
    return getattr(getattr(feature, "feature", feature), "names", None)


def _named(column: str, feature: Any) -> pl.Expr:
    """Names in place of numbers; -1 is what data sets write where the label is not told."""
    names = dict(enumerate(_classes(feature) or ()))

    def name(numbers: pl.Expr) -> pl.Expr:
        return numbers.replace_strict(names, default=None, return_dtype=pl.String)

    return pl.col(column).list.eval(name(pl.element())) if hasattr(feature, "feature") else name(pl.col(column))


def _encoded(cells: pl.Series) -> pl.Series:
    """The encoded files of a column of {bytes, path}, or their paths where the files are not part of the table."""
    content = cells.struct.field("bytes")
    kept = cells.struct.field("path") if content.null_count() == len(content) else content
    return kept.alias(cells.name)
