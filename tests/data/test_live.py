"""What is decoded on the fly is what a store would have given, down to the last bit."""

import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import fields, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import polars as pl
import pytest
import soundfile
import torch

from mmtrain.batch import Batch
from mmtrain.data import Data, Settings, batches, cache_folder, open_rows, prepare
from mmtrain.data import live as module
from mmtrain.data.live import GIB, Live, estimated_size, open_live
from mmtrain.data.store import Store
from mmtrain.errors import DataError
from mmtrain.modality import AudioModality, ImageModality, SeriesModality, TextModality
from mmtrain.source import Format, Scenes, TableSource, read_table
from mmtrain.table import Table

Make = Callable[[], dict[str, Any]]
Open = Callable[..., Data]
NO_STORE = 1e-9  # GiB: a byte


@pytest.fixture
def open_data(source: TableSource, folder: Path, settings: Settings, make_tasks: Make) -> Open:
    """Prepare the pictures, words and sounds; sound n has 100 n samples, and row 2 of train has neither picture nor sound."""
    for file in folder.glob("*.csv"):
        frame = pl.read_csv(file, infer_schema=False)
        for shade in map(int, frame["size"]):
            soundfile.write(folder / f"{shade}.wav", np.sin(np.arange(100 * shade + 100) + shade) / 2, 1000)
        frame = frame.with_columns(sound=pl.col("size") + ".wav")
        empty = pl.when(pl.col("size") == "2").then(None)
        frame.with_columns(empty.otherwise(pl.col(name)).alias(name) for name in ("picture", "sound")).write_csv(file)

    def opened(limit: float | None, **options: Any) -> Data:
        modalities: dict[str, Any] = {
            "picture": ImageModality(column="picture", height=3, width=2),
            "words": TextModality(column="words", min_count=1),
            "sound": AudioModality(column="sound", sample_rate=1000),
        }
        return prepare(source, replace(settings, cache_limit_gb=limit, **options), modalities, make_tasks(), progress=False)

    return opened


def live(data: Data) -> set[tuple[str, str]]:
    return {key for key, store in data.stores.items() if isinstance(store, Live)}


def drawn(data: Data, split: str = "train", *, shuffle: bool = True, skip: int = 0) -> list[Batch]:
    dataset = data.splits[split]
    return list(batches(dataset, 4, order=np.random.default_rng(0).permutation(len(dataset)) if shuffle else None, skip=skip))


def assert_equal(found: list[Batch], expected: list[Batch]) -> None:
    assert len(found) == len(expected) > 0
    for ours, theirs in zip(found, expected, strict=True):
        for field in fields(Batch):
            mine, other = getattr(ours, field.name), getattr(theirs, field.name)
            if field.name == "inputs":
                mine, other = ({name: vars(part) for name, part in inputs.items()} for inputs in (mine, other))
            torch.testing.assert_close(mine, other, rtol=0, atol=0)


def counted(part: Any) -> list[int]:
    """Numbers of rows that the part is asked to encode, from now on."""
    read, encode = list[int](), part.encode

    def noted(rows: Table) -> Any:
        read.append(len(rows))
        return encode(rows)

    vars(part)["encode"] = noted
    return read


@pytest.mark.parametrize("split", ["train", "val"])
@pytest.mark.parametrize("shuffle", [True, False])
def test_batches_are_those_of_the_store(open_data: Open, split: str, shuffle: bool) -> None:
    data = open_data(NO_STORE)
    assert live(data) == {(table, name) for table in ("train", "val", "test") for name in ("picture", "sound")}
    stored = open_data(None)
    assert live(stored) == set()
    assert_equal(drawn(data, split, shuffle=shuffle), drawn(stored, split, shuffle=shuffle))
    assert_equal(drawn(data, split, skip=1), drawn(stored, split, skip=1))
    for name, present in stored.splits[split].present.items():
        np.testing.assert_array_equal(data.splits[split].present[name], present)


def test_files_in_cells_are_decoded_too(settings: Settings, make_tasks: Make) -> None:
    def opened(limit: float | None) -> Data:
        modalities: dict[str, Any] = {"picture": ImageModality(column="picture"), "tone": AudioModality(column="tone")}
        tasks = make_tasks()
        tasks["label"].columns, tasks["size"].columns = ["match"], ["position"]
        source = Scenes(train=10, val=5, test=5, absent=0.4)
        return prepare(source, replace(settings, cache_limit_gb=limit), modalities, tasks, progress=False)

    data = opened(NO_STORE)
    assert len(live(data)) == 6
    assert_equal(drawn(data), drawn(opened(None)))


def test_only_files_are_too_large_and_only_for_a_limit(open_data: Open, settings: Settings) -> None:
    open_data(NO_STORE)
    assert {item.name.split("-")[0] for item in cache_folder(settings).iterdir()} == {"words"}
    assert {name for _, name in live(open_data(2500 / GIB))} == {"sound"}  # six pictures of 18 bytes; sounds of up to 26 times 200
    assert live(open_data(50.0)) == set()


def test_a_store_that_is_there_is_used(open_data: Open) -> None:
    open_data(None)
    assert live(open_data(NO_STORE)) == set()


def test_the_limit_itself_is_allowed(folder: Path, settings: Settings, make_table: Callable[..., Table]) -> None:
    part = ImageModality(column="picture", height=2, width=2, channels=1)
    table = make_table({"picture": [f"{shade}.png" for shade in range(6)]}, root=folder)
    assert open_live(part, table, replace(settings, cache_limit_gb=24 / GIB)) is None
    found = open_live(part, table, replace(settings, cache_limit_gb=23 / GIB))
    assert found is not None
    assert (len(found), found.size, found.folder) == (6, 24, None)
    assert open_live(part, table, replace(settings, cache_limit_gb=None)) is None


def test_the_size_is_estimated_from_rows_all_over_the_table(tmp_path: Path, make_table: Callable[..., Table]) -> None:
    """Sounds that grow: the first ones alone would tell half as much or less."""
    for length in range(300):
        soundfile.write(tmp_path / f"{length}.wav", np.zeros(length + 1), 1000)
    table = make_table({"sound": [f"{row // 2}.wav" for row in range(600)]}, root=tmp_path)
    part = AudioModality(column="sound", sample_rate=1000)
    read = counted(part)
    assert estimated_size(part, table) == pytest.approx(2 * 2 * sum(range(1, 301)), rel=0.01)
    assert sum(read) == 32


def test_a_note_says_which_and_why(open_data: Open) -> None:
    data = open_data(NO_STORE)
    assert [note.partition(":")[0] for note in data.notes[:2]] == [
        "data.modalities.picture, train.csv",
        "data.modalities.sound, train.csv",
    ]
    assert len(data.notes) == 6
    store = data.stores["train", "picture"]
    assert isinstance(store, Live)
    large = replace(store, size=int(1234.5 * 2**30), settings=replace(store.settings, cache_limit_gb=50.0))
    expected = "decoded on the fly, as a store would take about 1,234.50 GiB (data.cache_limit_gb=50); "
    assert large.why.startswith(expected)


@pytest.mark.parametrize("spoil", [Path.unlink, lambda file: file.write_bytes(b"")], ids=["missing", "empty"])
def test_a_file_that_is_not_there_is_known_beforehand(open_data: Open, folder: Path, spoil: Callable[[Path], Any]) -> None:
    spoil(folder / "3.png")
    with pytest.raises(DataError, match=r"^train\.csv, row 4, column 'picture': '3\.png' ") as error:
        open_data(NO_STORE)
    assert str(error.value.problems[1]).startswith("data: cells that cannot be read: 1, ")
    data = open_data(NO_STORE, on_bad="absent")
    assert data.splits["train"].present["picture"].tolist() == [True, True, False, False, True, True]
    assert data.notes[0].startswith("data.modalities.picture, train.csv: cells that cannot be read and count as absent: 1; the first: ")
    assert_equal(drawn(data), drawn(open_data(None, on_bad="absent")))


def test_of_many_missing_files_ten_are_named(settings: Settings, make_table: Callable[..., Table], folder: Path) -> None:
    table = make_table({"picture": ["0.png", *(f"missing{row}.png" for row in range(20))]}, root=folder)
    with pytest.raises(DataError) as error:
        open_live(ImageModality(column="picture"), table, replace(settings, cache_limit_gb=NO_STORE))
    assert len(error.value.problems) == 11
    assert str(error.value.problems[10]).startswith("data: cells that cannot be read: 20, ")


def test_a_broken_file_ends_it_when_its_batch_comes(open_data: Open, folder: Path) -> None:
    (folder / "5.png").write_text("no picture")
    data = open_data(NO_STORE)
    assert data.splits["train"].present["picture"].tolist() == [True, True, False, True, True, True]
    with closing(cast(Any, batches(data.splits["train"], 2))) as left:
        assert [next(left).rows.tolist(), next(left).rows.tolist()] == [[0, 1], [2, 3]]
        with pytest.raises(DataError, match=r"^train\.csv, row 6, column 'picture': '5\.png' is not a picture of a known format\n"):
            next(left)


def test_a_broken_file_may_count_as_absent(open_data: Open, folder: Path) -> None:
    (folder / "5.png").write_text("no picture")
    (folder / "4.wav").write_text("no sound")
    data = open_data(NO_STORE, on_bad="absent")
    found = drawn(data, shuffle=False)
    assert found[1].present["picture"].tolist() == [True, False]
    assert found[1].present["sound"].tolist() == [False, True]
    assert_equal(found, drawn(open_data(None, on_bad="absent"), shuffle=False))


def test_batches_are_made_ahead_and_the_thread_ends_with_the_iterator(open_data: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the first batch is used, two more are read, in another thread; none is left when the iterator is closed."""
    made, at, second = list[int](), Live.at, threading.Event()

    def watched(store: Live, rows: np.ndarray) -> Any:
        made.append(threading.get_ident())
        if len(made) == 6:
            second.set()
        return at(store, rows)

    monkeypatch.setattr(Live, "at", watched)
    before = threading.active_count()
    with closing(cast(Any, batches(open_data(NO_STORE).splits["train"], 1))) as left:
        next(left)
        assert second.wait(10)
    assert threading.active_count() == before
    assert len(set(made)) == 1
    assert made[0] != threading.get_ident()
    assert len(made) <= 6  # three batches of two modalities


@pytest.mark.parametrize(("cells", "on_the_fly"), [([[1.0], [2.0, 3.0], None], False), (["1", "2 3", None], True)])
def test_cells_that_hold_the_numbers_are_no_files(cells: list[Any], on_the_fly: bool) -> None:
    part = SeriesModality(column="series")
    table = Table(pl.DataFrame({"series": cells}), "rows.csv", np.arange(1, 4))
    part.fit(table)
    found = open_live(part, table, Settings("small", cache_limit_gb=NO_STORE))
    assert (found is not None) == on_the_fly
    if found is not None:
        assert found.present.tolist() == [True, True, False]
        assert found.bad == 0


def test_a_store_needs_no_thread(open_data: Open) -> None:
    before = threading.active_count()
    left = batches(open_data(None).splits["train"], 2)
    next(left)
    assert threading.active_count() == before


def test_rows_to_predict_are_decoded_on_the_fly_too(open_data: Open, folder: Path) -> None:
    data = open_data(None)
    store = data.stores["train", "picture"]
    assert isinstance(store, Store)
    table = read_table(folder / "val.csv", Format())
    settings = Settings("small", cache_limit_gb=NO_STORE)
    rows = open_rows(table, settings, data.modalities, data.tasks)
    assert {name for name, found in rows.stores.items() if isinstance(found, Live)} == {"picture", "sound"}
    assert_equal([rows.batch(np.arange(6))], [data.splits["val"].batch(np.arange(6))])
    assert "decoded on the fly" in rows.notes[0]


def test_where_no_store_can_be_too_large_nothing_is_decoded_to_see(open_data: Open, folder: Path) -> None:
    data = open_data(None)
    pictures, sounds = counted(data.modalities["picture"]), counted(data.modalities["sound"])
    open_rows(read_table(folder / "val.csv", Format()), Settings("small"), data.modalities, data.tasks)
    assert (sum(pictures), sum(sounds)) == (6, 6)


def test_a_modality_without_a_bound_is_estimated(folder: Path, settings: Settings, make_table: Callable[..., Table]) -> None:
    part: Any = ImageModality(column="picture", height=2, width=2, channels=1)
    plain = SimpleNamespace(files=True, columns=part.columns, encode=part.encode)
    table = make_table({"picture": [f"{shade}.png" for shade in range(6)]}, root=folder)
    assert open_live(cast(Any, plain), table, replace(settings, cache_limit_gb=24 / GIB)) is None
    assert open_live(cast(Any, plain), table, replace(settings, cache_limit_gb=23 / GIB)) is not None


@pytest.mark.parametrize(
    ("disk", "why"), [(50.0, "(at most 2e-09 GiB are kept in memory)"), (None, "(at most 2e-09 GiB"), (1e-9, "(data.cache_limit_gb=1e-09)")]
)
def test_rows_to_predict_have_a_limit_of_their_own(
    open_data: Open, folder: Path, monkeypatch: pytest.MonkeyPatch, disk: float | None, why: str
) -> None:
    data = open_data(None)
    monkeypatch.setattr(module, "MEMORY_GIB", 2e-9)
    rows = open_rows(read_table(folder / "val.csv", Format()), Settings("small", cache_limit_gb=disk), data.modalities, data.tasks)
    assert {name for name, found in rows.stores.items() if isinstance(found, Live)} == {"picture", "sound"}
    assert why in rows.notes[0]
