"""The folder of stores: find one, or build it so that nobody ever sees half of it."""

import os
import secrets
import shutil
import time
from collections.abc import Iterable
from pathlib import Path

from mmtrain.data.encode import encode_chunks, progress
from mmtrain.data.fingerprint import fingerprint
from mmtrain.data.live import Live, open_live
from mmtrain.data.settings import Settings
from mmtrain.data.store import Store, read, refuse_bad, write
from mmtrain.errors import DataError, Problem
from mmtrain.modality import Modality
from mmtrain.table import Table

BUILDING = ".building"  # ends the name of a folder that is being written
DEAD_SECONDS = 3600  # a build that has written nothing for so long was killed


def cache_folder(settings: Settings) -> Path:
    """Where the stores of this data set lie: `data.cache`, else `mmtrain` in the user's cache folder."""
    if settings.cache is not None:
        return Path(settings.cache).expanduser() / settings.name
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mmtrain" / settings.name


def open_store(name: str, modality: Modality, table: Table, settings: Settings, *, show: bool) -> Store | Live:
    """The store of these cells; built first if there is none, unless it would be too large: then they are decoded on the fly.

    Raises:
        DataError: cells cannot be read and `settings.on_bad` is `error` (nothing is kept then), or the cache cannot be written.
    """
    folder = cache_folder(settings) / f"{name}-{fingerprint(modality, table)}"
    if not folder.exists():
        live = open_live(modality, table, settings)
        if live is not None:
            return live
        _build(folder, modality, table, settings, title=f"{name} of {table.file}", show=show)
    try:
        store = read(folder)
    except (OSError, ValueError, KeyError) as error:
        raise DataError(Problem(str(folder), f"this store is damaged ({error})", "remove the folder and try again")) from error
    refuse_bad(store.bad, store.problems, settings)
    return store


def clear(settings: Settings, keep: Iterable[Path]) -> tuple[int, int]:
    """Remove the stores of this data set that are not among `keep`, and builds that were killed; give their number and bytes."""
    kept = {folder.name for folder in keep}
    old = [folder for folder in _folders(cache_folder(settings)) if folder.name not in kept and not _alive(folder)]
    size = sum(map(size_of, old))
    for folder in old:
        shutil.rmtree(folder, ignore_errors=True)
    return len(old), size


def size_of(folder: Path) -> int:
    """Bytes of a store."""
    return sum(file.stat().st_size for file in folder.iterdir())


def _build(folder: Path, modality: Modality, table: Table, settings: Settings, *, title: str, show: bool) -> None:
    """Write the store under another name, then give it its own: a killed build leaves nothing that looks like a store."""
    building = folder.with_name(f"{folder.name}.{secrets.token_hex(8)}{BUILDING}")
    try:
        _remove_dead(folder.parent)
        building.mkdir(parents=True)
        with progress(title, len(table), show=show) as done:
            write(encode_chunks(modality, table, done), building)
        built = read(building)
        refuse_bad(built.bad, built.problems, settings)
        _rename(building, folder)
    except OSError as error:
        raise DataError(
            Problem(str(folder.parent), f"a store cannot be written: {error}", "set data.cache to a folder with room")
        ) from error
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _rename(building: Path, folder: Path) -> None:
    try:
        building.rename(folder)
    except OSError:
        if not folder.exists():
            raise
        # Another process finished first; its store is as good as ours.


def _remove_dead(parent: Path) -> None:
    for folder in _folders(parent):
        if folder.name.endswith(BUILDING) and not _alive(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _alive(folder: Path) -> bool:
    """Whether another process may still be building here."""
    if not folder.name.endswith(BUILDING):
        return False
    try:
        last_written = max(item.stat().st_mtime for item in [folder, *folder.iterdir()])
    except FileNotFoundError:
        return True  # it was just given its own name, or removed
    return last_written >= time.time() - DEAD_SECONDS


def _folders(parent: Path) -> list[Path]:
    return [item for item in parent.iterdir() if item.is_dir()] if parent.is_dir() else []
