"""Whatever the arrays depend on changes the name of the store, and nothing else does."""

import importlib
import os
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from mmtrain.data import fingerprint as module
from mmtrain.data.fingerprint import fingerprint
from mmtrain.modality import ImageModality, SeriesModality, TabularModality, TextModality, VectorModality, VideoModality
from mmtrain.table import Table

COLUMNS = {"picture": ["0.png", "1.png", None], "words": ["a", "bc", None], "label": ["x", "y", "z"]}


def words(**options: Any) -> TextModality:
    return TextModality(column="words", min_count=1, **options)


def test_equal_cells_have_one_name_whatever_else_the_table_holds(make_table: Callable[..., Table]) -> None:
    table = make_table(COLUMNS)
    name = fingerprint(words(), table)
    assert len(name) == 32
    assert fingerprint(words(), replace(table, file="other.csv", numbers=np.array([7, 8, 9]))) == name
    assert fingerprint(words(), make_table(COLUMNS | {"label": ["p", "q", "r"]})) == name


def test_every_cell_counts(make_table: Callable[..., Table]) -> None:
    contents = [["a", "bc", None], ["ab", "c", None], ["a", "bc", ""], ["a", None, "bc"], ["bc", "a", None], ["a", "bc"], ["a", "bc", "é"]]
    names = [fingerprint(words(), make_table({"words": cells})) for cells in contents]
    assert len(set(names)) == len(names)
    assert fingerprint(words(), make_table({"words": [b"a", b"bc", None]})) == names[0]  # the same letters, whatever their type


def test_every_item_of_a_list_counts(make_table: Callable[..., Table]) -> None:
    contents = [[["a", "bc"], None], [["a"], ["bc"]], [["abc"], None], [["a", "bc"], []], [["bc", "a"], None], [["a", None, "bc"], None]]
    names = [fingerprint(words(), make_table({"words": cells})) for cells in contents]
    assert len(set(names)) == len(names)
    assert fingerprint(words(), make_table({"words": contents[0]})) == names[0]


def test_options_and_state_count(make_table: Callable[..., Table]) -> None:
    table = make_table(COLUMNS)
    fitted = words()
    fitted.fit(table)
    names = [fingerprint(part, table) for part in (words(), words(max_length=3), fitted, TextModality(column="label"))]
    assert len(set(names)) == len(names)


def test_the_kind_of_modality_counts(make_table: Callable[..., Table]) -> None:
    table = make_table(COLUMNS)
    assert fingerprint(TabularModality(categorical=["words"]), table) != fingerprint(words(), table)


@pytest.mark.parametrize("packaged", [True, False])
def test_code_beside_the_modality_counts_in_a_package(
    packaged: bool, tmp_path: Path, make_table: Callable[..., Table], monkeypatch: pytest.MonkeyPatch
) -> None:
    home, name = (tmp_path / "reader", "reader.packaged_words") if packaged else (tmp_path, "lone_words")
    home.mkdir(exist_ok=True)
    file, beside = home / f"{name.split('.')[-1]}.py", home / "beside.py"
    file.write_text("from mmtrain.modality import TextModality\n\nclass Words(TextModality): ...\n")
    beside.write_text("")
    if packaged:
        (home / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    part, table = importlib.import_module(name).Words(column="words"), make_table(COLUMNS)
    names = [fingerprint(part, table)]
    for edited in (beside, file):
        edited.write_text(f"{edited.read_text()}# edited\n")
        module._code.cache_clear()  # read once a process: what was imported does not change any more
        names.append(fingerprint(part, table))
    assert [names[0] != names[1], names[1] != names[2]] == [packaged, True]


def test_all_of_the_shipped_modalities_code_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    read, read_bytes = list[Path](), Path.read_bytes

    def noted(path: Path) -> bytes:
        read.append(path)
        return read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", noted)
    module._code.cache_clear()
    module._code(TabularModality)
    module._code(TabularModality)
    assert len(read) == len(set(read))
    assert {"cell.py", "scaling.py", "mel.py", "tabular.py"} <= {path.name for path in read}


@pytest.mark.parametrize("library", ["av", "numpy", "pillow", "scipy", "soundfile", "tokenizers"])
def test_an_upgraded_library_counts(library: str, make_table: Callable[..., Table], monkeypatch: pytest.MonkeyPatch) -> None:
    table = make_table(COLUMNS)
    name = fingerprint(words(), table)
    installed = module._versions()
    assert library == "av" or installed[library] == version(library)
    monkeypatch.setattr(module, "_versions", lambda: installed | {library: "999"})
    assert fingerprint(words(), table) != name


def test_a_library_that_is_not_installed_has_no_version() -> None:
    assert module._version("no-such-library") is None
    assert module._version("numpy") == np.__version__


def test_the_decimal_point_counts(make_table: Callable[..., Table]) -> None:
    table = make_table({"size": ["1,5", "2"]})
    part = TabularModality(numeric=["size"])
    assert fingerprint(part, table) != fingerprint(part, replace(table, decimal=","))


def test_files_count_by_size_and_time_and_folder(folder: Path, tmp_path: Path, make_table: Callable[..., Table]) -> None:
    part = ImageModality(column="picture", height=2, width=2)
    table = make_table(COLUMNS, root=folder)
    names = [fingerprint(part, table)]
    os.utime(folder / "1.png", ns=(0, 0))
    names.append(fingerprint(part, table))
    with (folder / "1.png").open("ab") as file:
        file.write(b"x")
    os.utime(folder / "1.png", ns=(0, 0))
    names.append(fingerprint(part, table))
    (folder / "1.png").unlink()
    names.append(fingerprint(part, table))
    (tmp_path / "elsewhere").mkdir()
    names.append(fingerprint(part, replace(table, root=tmp_path / "elsewhere")))
    assert len(set(names)) == 5


def test_of_a_folder_every_file_counts(folder: Path, make_table: Callable[..., Table]) -> None:
    part, table = VideoModality(column="clip", height=2, width=2), make_table({"clip": ["clip", "0.png"]}, root=folder)
    inside = folder / "clip"
    inside.mkdir()
    for name in ("1.png", "2.png"):
        (inside / name).write_bytes((folder / name).read_bytes())
    times = (inside.stat().st_atime_ns, inside.stat().st_mtime_ns)
    names = [fingerprint(part, table), fingerprint(part, table)]
    for change in (
        lambda: os.utime(inside / "2.png", ns=(0, 0)),
        lambda: (inside / "2.png").write_bytes(b"another"),
        lambda: (inside / "2.png").unlink(),
    ):
        change()
        os.utime(inside, ns=times)  # as where a file is written in place
        names.append(fingerprint(part, table))
    (inside / "1.png").rename(inside / "3.png")
    os.utime(inside, ns=(0, 1))  # as renaming does
    names.append(fingerprint(part, table))
    assert names[0] == names[1]
    assert len(set(names)) == 5


def test_files_that_are_not_named_do_not_count(folder: Path, make_table: Callable[..., Table]) -> None:
    part = ImageModality(column="picture", height=2, width=2)
    table = make_table(COLUMNS, root=folder)
    name = fingerprint(part, table)
    os.utime(folder / "2.png", ns=(0, 0))
    assert fingerprint(part, table) == name


def test_lists_count_by_what_they_hold(make_table: Callable[..., Table]) -> None:
    part = SeriesModality(column="series")
    cells: list[Any] = [
        [[1.0, 2.0], [3.0]],
        [[1.0], [2.0, 3.0]],
        [[1.0, 2.0, 3.0], []],
        [[1.0, 2.0, 3.0], None],
        [[1.0, None, 3.0], None],
        [[[1.0, 2.0]], [[3.0]]],
        [[[1.0], [2.0]], [[3.0]]],
    ]
    tables = [make_table({"series": series}) for series in [*cells, pl.Series([[1.0, 2.0], [3.0, 4.0]], dtype=pl.Array(pl.Float64, 2))]]
    assert len({fingerprint(part, table) for table in tables}) == len(tables)
    assert fingerprint(part, make_table({"series": cells[0]})) == fingerprint(part, tables[0])


def test_encoded_files_in_cells_count_by_content(make_table: Callable[..., Table]) -> None:
    part = ImageModality(column="picture", height=2, width=2)
    names = [fingerprint(part, make_table({"picture": pl.Series(cells, dtype=pl.Binary)})) for cells in ([b"a", b"b"], [b"a", b"c"])]
    assert names[0] != names[1]


def test_numbers_count_by_place_and_type(make_table: Callable[..., Table]) -> None:
    part = TabularModality(numeric=["size"])
    columns = [[1, 2, None], [1, None, 2], [1, 2, 0], [1.0, 2.0, None], [1.0, 2.0, float("nan")], [2, 1, None], list(range(2000))]
    columns += [[*range(1999), 0], [*range(1024), 0, *range(1025, 2000)]]
    names = [fingerprint(part, make_table({"size": cells})) for cells in columns]
    assert len(set(names)) == len(names)
    assert fingerprint(part, make_table({"size": columns[0]})) == names[0]


def test_long_lists_are_not_written_out_as_text(make_table: Callable[..., Table]) -> None:
    vectors = np.random.default_rng(0).standard_normal((8000, 64))
    table = make_table({"feature": pl.Series(vectors)})
    part = VectorModality(column="feature")
    fingerprint(part, table)  # the code's own digest is kept from now on
    tracemalloc.start()
    fingerprint(part, table)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < vectors.nbytes
