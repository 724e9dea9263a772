"""A store is found, or built whole; what is half built is never taken for one."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mmtrain.data import Settings, cache, cache_folder, clear
from mmtrain.data.store import Ragged, Store
from mmtrain.errors import DataError
from mmtrain.modality import ImageModality, Modality, TextModality
from mmtrain.table import Table

BUILD = """
import os, sys, time
from pathlib import Path
import numpy as np, polars as pl
from mmtrain.data import Settings, cache
from mmtrain.modality import TextModality
from mmtrain.table import Table

cache_folder, mode = sys.argv[1:]
class Words(TextModality):
    def encode(self, table):
        if mode == "killed" and table.numbers[0] > 256:
            os.kill(os.getpid(), 9)
        Path(cache_folder, f"started{os.getpid()}").touch()
        while mode == "both" and len(list(Path(cache_folder).glob("started*"))) < 2:
            time.sleep(0.01)  # neither finishes before the other has begun
        return super().encode(table)

frame = pl.DataFrame({"words": [f"word{row}" for row in range(600)]})
part = Words(column="words", min_count=1)
part.fit(Table(frame, "rows.csv", np.arange(1, 601)))
store = cache.open_store("words", part, Table(frame, "rows.csv", np.arange(1, 601)), Settings("small", cache=cache_folder), show=False)
print(store.folder.name, store.arrays["ids"].pad(np.arange(600))[0].sum())
"""


def words_table(make_table: Callable[..., Table]) -> tuple[TextModality, Table]:
    table = make_table({"words": [f"word{row}" for row in range(600)]})
    part = TextModality(column="words", min_count=1)
    part.fit(table)
    return part, table


def open_store(name: str, part: Modality, table: Table, settings: Settings, *, show: bool) -> Store:
    store = cache.open_store(name, part, table, settings, show=show)
    assert isinstance(store, Store)
    return store


def start(settings: Settings, mode: str, script: Path) -> "subprocess.Popen[str]":
    script.write_text(BUILD)
    return subprocess.Popen([sys.executable, str(script), str(settings.cache), mode], stdout=subprocess.PIPE, text=True)


def numbers(store: Store) -> np.ndarray:
    ids = store.arrays["ids"]
    assert isinstance(ids, Ragged)
    return ids.pad(np.arange(len(store)))[0]


def test_a_store_is_built_once(settings: Settings, make_table: Callable[..., Table], monkeypatch: pytest.MonkeyPatch) -> None:
    part, table = words_table(make_table)
    first = open_store("words", part, table, settings, show=True)
    monkeypatch.setattr(cache, "encode_chunks", None)
    second = open_store("words", part, table, settings, show=True)
    assert first.folder == second.folder
    np.testing.assert_array_equal(numbers(first), numbers(second))
    assert [item.name for item in cache_folder(settings).iterdir()] == [first.folder.name if first.folder else None]


def test_stores_lie_in_the_users_cache_by_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder(Settings("small")) == tmp_path / "mmtrain" / "small"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder(Settings("small")) == tmp_path / ".cache" / "mmtrain" / "small"
    assert cache_folder(Settings("small", cache="~/stores")) == tmp_path / "stores" / "small"


def test_two_processes_build_at_once(settings: Settings, tmp_path: Path) -> None:
    Path(str(settings.cache)).mkdir()
    builds = [start(settings, "both", tmp_path / "build.py") for _ in range(2)]
    printed = {build.communicate(timeout=60)[0] for build in builds}
    assert [build.returncode for build in builds] == [0, 0]
    assert len(printed) == 1
    assert [item.name for item in cache_folder(settings).iterdir()] == [printed.pop().split()[0]]


def test_who_comes_second_takes_the_first_ones_store(
    settings: Settings, make_table: Callable[..., Table], monkeypatch: pytest.MonkeyPatch
) -> None:
    part, table = words_table(make_table)
    rename, own = Path.rename, dict[str, int]()

    def overtaken(building: Path, folder: Path) -> Path:
        shutil.copytree(building, folder)
        own["inode"] = (folder / "store.json").stat().st_ino
        return rename(building, folder)

    monkeypatch.setattr(Path, "rename", overtaken)
    store = open_store("words", part, table, settings, show=False)
    assert store.folder is not None
    assert (store.folder / "store.json").stat().st_ino == own["inode"]
    assert list(cache_folder(settings).iterdir()) == [store.folder]


def test_a_killed_build_is_no_store_and_is_removed_when_it_is_surely_dead(
    settings: Settings, tmp_path: Path, make_table: Callable[..., Table]
) -> None:
    Path(str(settings.cache)).mkdir()
    killed = start(settings, "killed", tmp_path / "build.py")
    assert (killed.communicate(timeout=60)[0], killed.returncode) == ("", -signal.SIGKILL)
    (left,) = cache_folder(settings).iterdir()
    assert left.name.endswith(".building")
    part, table = words_table(make_table)
    first = open_store("words", part, table, settings, show=False)
    assert set(cache_folder(settings).iterdir()) == {first.folder, left}  # right after its last write it may still be alive
    for item in (*left.iterdir(), left):
        os.utime(item, (time.time() - 2 * cache.DEAD_SECONDS,) * 2)
    second = open_store("words", part, table.take(slice(0, 9)), settings, show=False)
    assert set(cache_folder(settings).iterdir()) == {first.folder, second.folder}


def test_a_neighbour_that_is_finished_meanwhile_is_no_failure(
    settings: Settings, make_table: Callable[..., Table], monkeypatch: pytest.MonkeyPatch
) -> None:
    neighbour = cache_folder(settings) / "x.0.building"
    neighbour.mkdir(parents=True)
    part, table = words_table(make_table)
    iterdir = Path.iterdir

    def finished(folder: Path) -> Iterator[Path]:
        if folder == neighbour:
            neighbour.rename(neighbour.with_name("x"))
        return iterdir(folder)

    monkeypatch.setattr(Path, "iterdir", finished)
    store = open_store("words", part, table, settings, show=False)
    assert set(cache_folder(settings).iterdir()) == {store.folder, neighbour.with_name("x")}


def test_a_bad_cell_ends_it_and_leaves_nothing(folder: Path, settings: Settings, make_table: Callable[..., Table]) -> None:
    (folder / "1.png").write_text("no picture")
    table = make_table({"picture": ["0.png", "1.png", "2.png", "nowhere.png", None]}, root=folder)
    part = ImageModality(column="picture", height=2, width=2)
    with pytest.raises(DataError) as error:
        open_store("picture", part, table, settings, show=False)
    assert [problem.where for problem in error.value.problems] == [
        "rows.csv, row 2, column 'picture'",
        "rows.csv, row 4, column 'picture'",
        "data",
    ]
    assert "nowhere.png" in error.value.problems[1].found
    assert list(cache_folder(settings).iterdir()) == []


def test_of_many_bad_cells_ten_are_named_and_all_counted(folder: Path, settings: Settings, make_table: Callable[..., Table]) -> None:
    table = make_table({"picture": [f"missing{row}.png" for row in range(700)]}, root=folder)
    with pytest.raises(DataError) as error:
        open_store("picture", ImageModality(column="picture"), table, settings, show=False)
    assert [problem.where for problem in error.value.problems[:10]] == [f"rows.csv, row {row}, column 'picture'" for row in range(1, 11)]
    assert str(error.value.problems[10]).startswith("data: cells that cannot be read: 700, ")


def test_bad_cells_may_count_as_absent_but_not_behind_the_back_of_a_stricter_run(
    folder: Path, settings: Settings, make_table: Callable[..., Table]
) -> None:
    table = make_table({"picture": ["0.png", "nowhere.png", "2.png"]}, root=folder)
    part = ImageModality(column="picture", height=2, width=2)
    store = open_store("picture", part, table, replace(settings, on_bad="absent"), show=False)
    assert (store.present.tolist(), store.bad) == ([True, False, True], 1)
    with pytest.raises(DataError, match=r"row 2, column 'picture'"):
        open_store("picture", part, table, settings, show=False)


def test_a_damaged_store_says_what_to_remove(settings: Settings, make_table: Callable[..., Table]) -> None:
    part, table = words_table(make_table)
    store = open_store("words", part, table, settings, show=False)
    assert store.folder is not None
    values = store.folder / "ids.values.npy"
    values.write_bytes(values.read_bytes()[:100])
    with pytest.raises(DataError, match=rf"{store.folder.name}: this store is damaged .*; remove the folder and try again"):
        open_store("words", part, table, settings, show=False)


def test_a_cache_that_cannot_be_written_is_named(settings: Settings, tmp_path: Path, make_table: Callable[..., Table]) -> None:
    (tmp_path / "file").write_text("")
    part, table = words_table(make_table)
    with pytest.raises(DataError, match=r"a store cannot be written: .*; set data\.cache to a folder with room"):
        open_store("words", part, table, replace(settings, cache=str(tmp_path / "file")), show=False)


def test_interrupting_leaves_nothing(settings: Settings, make_table: Callable[..., Table], monkeypatch: pytest.MonkeyPatch) -> None:
    part, table = words_table(make_table)

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cache, "progress", lambda *_, **__: nullcontext(interrupt))
    with pytest.raises(KeyboardInterrupt):
        open_store("words", part, table, settings, show=False)
    assert list(cache_folder(settings).iterdir()) == []


def test_clearing_keeps_what_is_in_use_and_other_data_sets(settings: Settings, make_table: Callable[..., Table]) -> None:
    part, table = words_table(make_table)
    store, other = open_store("words", part, table, settings, show=False), replace(settings, name="other")
    open_store("words", part, table, other, show=False)
    old = open_store("words", part, table.take(slice(0, 300)), settings, show=False)
    assert store.folder is not None
    assert old.folder is not None
    alive, dead = (cache_folder(settings) / f"{name}.0.building" for name in ("alive", "dead"))
    alive.mkdir()
    dead.mkdir()
    os.utime(dead, (time.time() - 2 * cache.DEAD_SECONDS,) * 2)
    size = sum(file.stat().st_size for file in old.folder.iterdir())
    assert clear(settings, [store.folder]) == (2, size)
    assert set(cache_folder(settings).iterdir()) == {store.folder, alive}
    assert len(list(cache_folder(other).iterdir())) == 1
    assert clear(replace(settings, name="never used"), []) == (0, 0)
