"""The name of a store: a digest of everything that its arrays depend on."""

import inspect
import json
from functools import cache
from hashlib import blake2b
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import polars as pl

from mmtrain import __version__
from mmtrain.modality import Modality
from mmtrain.table import Table

LIBRARIES = ("av", "numpy", "pillow", "scipy", "soundfile", "tokenizers")  # decode or change what the cells hold
ROWS = 1024  # that are hashed at a time, since this takes a copy of what they hold


def fingerprint(modality: Modality, table: Table) -> str:
    """32 letters that stand for these cells, the files they name, and how the modality reads them.

    Two tables have one store only if every cell that is read is equal, and refers to files of equal size and time in the
    same folder. Not the table's file: another split, or another table beside it, never passes for this one, and a column
    that is not read may change.
    """
    kind = type(modality)
    facts = {
        "version": __version__,
        "class": f"{kind.__module__}.{kind.__qualname__}",
        "libraries": _versions(),
        "recipe": modality.recipe,
        "state": modality.state(),
        "columns": modality.columns,
        "decimal": table.decimal,
        "root": str(table.root.resolve()) if table.root is not None and modality.files else None,
    }
    digest = blake2b(digest_size=16)
    digest.update(json.dumps(facts, sort_keys=True).encode())
    digest.update(_code(kind))
    for column in modality.columns:
        cells = table.frame[column]
        for start in range(0, len(cells), ROWS):
            digest.update(_content(cells[start : start + ROWS]))
        if modality.files and cells.dtype != pl.Binary and not cells.dtype.is_nested():
            digest.update(_files(table, column))
    return digest.hexdigest()


@cache
def _versions() -> dict[str, str | None]:
    """Of the installed libraries: after an upgrade the same cells may be read differently. None where an optional one is not installed."""
    return {library: _version(library) for library in LIBRARIES}


def _version(library: str) -> str | None:
    try:
        return version(library)
    except PackageNotFoundError:
        return None


@cache
def _code(kind: type) -> bytes:
    """Digest of the class's package, or of its file alone if that lies in none: edited code may read the same cells differently."""
    file = Path(inspect.getfile(kind))
    packaged = (file.parent / "__init__.py").exists()
    digest = blake2b(digest_size=16)
    for path in sorted(file.parent.glob("*.py")) if packaged else [file]:
        digest.update(blake2b(path.read_bytes()).digest())
    return digest.digest()


def _content(cells: pl.Series) -> bytes:
    """Every cell, and its length, so that "ab", "c" differs from "a", "bc"; of lists so at every level."""
    if isinstance(cells.dtype, pl.Array):
        cells = cells.arr.to_list()
    if cells.dtype == pl.List:
        return _bytes(cells.list.len()) + _content(cells.explode())
    if cells.dtype == pl.Binary:
        lengths, content = cells.bin.size(), b"".join(cells.drop_nulls().to_list())
    elif cells.dtype.is_integer() or cells.dtype.is_float():
        known = cells.is_not_null()
        lengths, content = known, str(cells.dtype).encode() + cells.filter(known).to_numpy().tobytes()
    else:
        text = cells.cast(pl.String)
        lengths, content = text.str.len_bytes(), text.str.join("").item().encode()
    return _bytes(lengths) + content


def _bytes(lengths: pl.Series) -> bytes:
    return lengths.cast(pl.Int64).fill_null(-1).to_numpy().tobytes()


def _files(table: Table, column: str) -> bytes:
    """Size and time of the file that each cell names, of a folder also those of every file in it; -1 where there is none."""
    facts = []
    for cell in table.frame[column].cast(pl.String).drop_nulls().unique(maintain_order=True):
        try:
            path = table.path(cell)
            inside = sorted(path.iterdir()) if path.is_dir() else []  # another name for one of them changes the folder's own time
            found = [file.stat() for file in (path, *inside)]
            facts += [len(found), *(fact for file in found for fact in (file.st_size, file.st_mtime_ns))]
        except (OSError, ValueError):
            facts.append(-1)
    return np.array(facts, np.int64).tobytes()
