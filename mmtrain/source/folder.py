"""Files sorted into folders: one folder a class."""

import os
from pathlib import Path
from typing import ClassVar

import numpy as np
import polars as pl

from mmtrain.errors import ConfigError, DataError, Problem
from mmtrain.option import Fraction
from mmtrain.source.split import by_fraction, dealt, fraction_problems
from mmtrain.source.splits import TEST, TRAIN, VAL, Splits
from mmtrain.table import Table

NAMES = {TRAIN: (TRAIN,), VAL: (VAL, "valid", "validation"), TEST: (TEST,)}  # what the folder of a split may be called
LEFT_BEHIND = {"Thumbs.db", "desktop.ini"}  # by the system; other hidden files begin with a dot
SHOWN = 10  # problems that are told


class FolderSource:
    """Every file below `root`, labelled with the name of the folder that it lies in.

    The folders `train`, `val` (or `valid`, `validation`) and `test` below `root` hold one folder a class each. Without
    `train`, the classes lie in `root` itself. A split without a folder takes a fraction of train, spread evenly over the
    classes by `split_seed`; `val_fraction` and `test_fraction` count for nothing where the folder is there.

    Columns: `file` (pictures, sounds or whatever else, anywhere below the folder of its class; relative to `root`), `label`, and
    `id`, which equals `file`. `extensions` keeps only such files: `[png, jpg]`. Hidden files are passed over, as is
    what lies beside the folders of the classes.
    """

    columns: ClassVar[list[str]] = ["id", "file", "label"]
    id: ClassVar[str] = "id"

    def __init__(
        self,
        *,
        root: str,
        extensions: list[str] | None = None,
        val_fraction: Fraction = 0.1,
        test_fraction: Fraction = 0.0,
        split_seed: int = 0,
    ) -> None:
        self.root = Path(root).expanduser()
        self.extensions = None if extensions is None else {f".{name.lower().removeprefix('.')}" for name in extensions}
        self.fractions = {VAL: val_fraction, TEST: test_fraction}
        self.split_seed = split_seed
        problems = list(fraction_problems(self.fractions))
        if problems:
            raise ConfigError(*problems)

    def tables(self) -> Splits:
        """List the files.

        Raises:
            DataError: `root` or the folders that it has to hold are not there, or a class of train has no file.
        """
        try:
            tables = {name: self._table(name, folder) for name, folder in self._folders().items()}
        except OSError as error:
            raise DataError(Problem("data.root", f"'{error.filename}' cannot be read: {error.strerror}")) from error
        fractions = {name: fraction for name, fraction in self.fractions.items() if fraction > 0 and name not in tables}
        if VAL not in tables and VAL not in fractions:
            raise DataError(Problem("data.val_fraction", f"is 0, and '{self.root}' holds no folder 'val'", "give one of the two"))
        shares = by_fraction(tables[TRAIN], fractions, self.split_seed, stratify="label") if fractions else {}
        return dealt(tables, {name: table.frame["id"].to_list() for name, table in tables.items()}, shares)

    def _folders(self) -> dict[str, Path]:
        """The folder of each split that has one."""
        if not self.root.is_dir():
            raise DataError(Problem("data.root", f"there is no folder '{self.root}'", "name the folder that holds a folder for each class"))
        inside = {folder.name: folder for folder in _subfolders(self.root)}
        found = {split: [name for name in names if name in inside] for split, names in NAMES.items()}
        for names in found.values():
            if len(names) > 1:
                raise DataError(Problem("data.root", f"'{self.root}' holds both '{names[0]}' and '{names[1]}'", "keep one of the two"))
        if found[TRAIN]:
            return {split: inside[names[0]] for split, names in found.items() if names}
        apart = [name for names in found.values() for name in names]
        if apart:
            raise DataError(Problem("data.root", f"'{self.root}' holds a folder '{apart[0]}' but none called 'train'", "add it"))
        return {TRAIN: self.root}

    def _table(self, split: str, folder: Path) -> Table:
        """The files of a split, class by class."""
        classes = {place.name: self._files(place) for place in _subfolders(folder)}
        if not classes:
            raise DataError(Problem(str(folder), "holds no folder", "put the files of each class into a folder of the class's name"))
        files = [file for found in classes.values() for file in found]
        wanted = "" if self.extensions is None else f" with the extension {' or '.join(sorted(self.extensions))}"
        if not files:
            raise DataError(Problem(str(folder), f"its {len(classes)} folders hold no file{wanted}"))
        empty = [name for name, found in classes.items() if not found]
        if empty and split == TRAIN:  # val and test may well lack a class
            fix = "remove the folder, or fill it"
            raise DataError(*(Problem(str(folder / name), f"holds no file{wanted}", fix) for name in empty[:SHOWN]))
        labels = [name for name, found in classes.items() for _ in found]
        frame = pl.DataFrame({"id": files, "file": files, "label": labels})
        return Table(frame, str(folder), np.arange(1, len(files) + 1), self.root)

    def _files(self, place: Path) -> list[str]:
        """The files of a class, relative to the root, in the order of their names."""
        found = []
        for above, folders, names in os.walk(place):
            folders[:] = [name for name in folders if not name.startswith(".")]
            paths = (Path(above, name) for name in names if not name.startswith(".") and name not in LEFT_BEHIND)
            found += [_text(path.relative_to(self.root)) for path in paths if self._wants(path)]
        return sorted(found)

    def _wants(self, path: Path) -> bool:
        return self.extensions is None or path.suffix.lower() in self.extensions


def _subfolders(folder: Path) -> list[Path]:
    return sorted(item for item in folder.iterdir() if item.is_dir() and not item.name.startswith("."))


def _text(path: Path) -> str:
    """The path as a cell can hold it."""
    try:
        return path.as_posix().encode().decode()
    except UnicodeEncodeError:
        raise DataError(Problem("data.root", f"the name {path.as_posix()!a} is not UTF-8", "rename it")) from None
