"""From files to data sets: what is fitted on what, which store belongs to whom, and which row has which picture."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from PIL import Image

from mmtrain.data import Data, Dataset, Settings, load_fitted, open_rows, prepare
from mmtrain.errors import DataError
from mmtrain.modality import AudioModality, ImageModality, TabularModality, TextModality
from mmtrain.source import Format, Scenes, TableSource, read_table

Make = Callable[[], dict[str, Any]]


@pytest.fixture
def open_data(settings: Settings, make_modalities: Make, make_tasks: Make) -> Callable[..., Data]:
    """Prepare a source with new parts; `label` is the only task and `facts` is left out, so that val and test may hold anything."""

    def opened(source: TableSource, **options: Any) -> Data:
        modalities = {name: part for name, part in make_modalities().items() if name != "facts"}
        return prepare(source, replace(settings, **options), modalities, {"label": make_tasks()["label"]}, progress=False)

    return opened


def shades(dataset: Dataset, rows: list[int]) -> list[int]:
    return dataset.batch(np.array(rows)).inputs["picture"].pixels[:, 0, 0, 0].tolist()


def rewrite(path: Path, **columns: list[Any]) -> None:
    frame = pl.read_csv(path, infer_schema=False)
    frame.with_columns(pl.Series(name, cells) for name, cells in columns.items()).write_csv(path)


def test_every_row_has_its_own_picture_words_and_label(source: TableSource, open_data: Callable[..., Data]) -> None:
    data = open_data(source)
    assert {name: len(split) for name, split in data.splits.items()} == {"train": 6, "val": 6, "test": 6}
    assert shades(data.splits["train"], [0, 5, 2]) == [0, 5, 2]
    assert shades(data.splits["test"], [0, 5, 2]) == [20, 25, 22]
    assert data.splits["val"].ids[:2] == ["val10", "val11"]
    assert data.splits["val"].targets["label"].tolist() == [0, 1, 0, 1, 0, 1]
    assert data.notes == []


def test_nothing_that_only_val_or_test_hold_is_learned(
    source: TableSource, folder: Path, settings: Settings, make_modalities: Make, make_tasks: Make
) -> None:
    first = prepare(source, settings, make_modalities(), make_tasks(), progress=False).state()
    assert "trainonly" in json.dumps(first)
    assert "testonly" not in json.dumps(first)
    assert "valonly" not in json.dumps(first)
    for split in ("val", "test"):
        rewrite(folder / f"{split}.csv", words=["secret"] * 6, size=["1e9"] * 6, label=["z"] * 6)
    assert prepare(source, settings, make_modalities(), make_tasks(), progress=False).state() == first


def test_equal_looking_splits_and_tables_have_their_own_stores(folder: Path, source: TableSource, open_data: Callable[..., Data]) -> None:
    """Same columns, same number of rows, same folder: another tool took one for the other."""
    data = open_data(source)
    assert len({store.folder for store in data.stores.values()}) == 6
    other = folder / "other.csv"
    pl.read_csv(folder / "test.csv", infer_schema=False).write_csv(other)
    rewrite(other, picture=[f"{shade}.png" for shade in (25, 24, 23, 22, 21, 20)])
    again = open_data(TableSource(root=str(folder), train="train.csv", val="other.csv", test="test.csv"))
    assert shades(again.splits["val"], [0, 1, 2, 3, 4, 5]) == [25, 24, 23, 22, 21, 20]
    assert shades(again.splits["test"], [0, 1, 2, 3, 4, 5]) == [20, 21, 22, 23, 24, 25]
    assert again.stores["test", "picture"].folder == data.stores["test", "picture"].folder


def test_a_picture_that_changed_is_read_again(folder: Path, source: TableSource, open_data: Callable[..., Data]) -> None:
    assert shades(open_data(source).splits["train"], [0, 1]) == [0, 1]
    Image.new("L", (4, 4), 99).save(folder / "1.png")
    os.utime(folder / "1.png", ns=(1, 1))
    assert shades(open_data(source).splits["train"], [0, 1]) == [0, 99]


def test_what_does_not_depend_on_the_split_is_stored_once(folder: Path, open_data: Callable[..., Data]) -> None:
    options: dict[str, Any] = {"root": str(folder), "train": "train.csv", "val_fraction": 0.34}
    first, second = (open_data(TableSource(**options, split_seed=seed)) for seed in (0, 1))
    assert first.splits["val"].ids != second.splits["val"].ids
    assert first.stores["train", "picture"].folder == second.stores["train", "picture"].folder
    assert list(first.stores) == [("train", "picture"), ("train", "words")]
    val = first.splits["val"]
    assert shades(val, [0, 1]) == [int(number) - 1 for number in val.ids]


def test_splits_of_one_table_learn_from_train_alone_and_have_their_own_rows(
    folder: Path, settings: Settings, make_modalities: Make, make_tasks: Make
) -> None:
    part = ["test", "val", "train", "train", "val", "train"]
    words, sizes = [f"only{row}" for row in range(6)], ["100", "200", "1", "2", "300", "3"]
    rewrite(folder / "train.csv", words=words, size=sizes, picture=["0.png", None, "2.png", None, "4.png", "5.png"], label=list("zabyab"))
    pl.read_csv(folder / "train.csv", infer_schema=False).with_columns(part=pl.Series(part)).write_csv(folder / "all.csv")
    source = TableSource(root=str(folder), train="all.csv", split_column="part")
    data = prepare(source, settings, make_modalities(), make_tasks(), progress=False)
    learned = json.dumps(data.state())
    assert [word for word in words if word in learned] == ["only2", "only3", "only5"]
    assert data.state()["tasks"]["size"]["constants"] == {"mean": 2, "median": 2}
    train, val, test = data.splits.values()
    assert train.batch(np.arange(3)).present["picture"].tolist() == [True, False, True]
    assert val.batch(np.arange(2)).present["picture"].tolist() == [False, True]
    assert (shades(train, [0, 2]), shades(val, [1]), shades(test, [0])) == ([2, 5], [4], [0])
    assert (val.present["picture"].tolist(), test.ids) == ([False, True], ["1"])


def test_an_absent_picture_is_never_the_next_rows(folder: Path, source: TableSource, open_data: Callable[..., Data]) -> None:
    rewrite(folder / "train.csv", picture=["0.png", None, "2.png", None, "4.png", "5.png"])
    train = open_data(source).splits["train"]
    batch = train.batch(np.array([5, 3, 2, 1]))
    assert batch.present["picture"].tolist() == [True, False, True, False]
    assert batch.index["picture"].tolist() == [0, 2]
    assert batch.inputs["picture"].pixels[:, 0, 0, 0].tolist() == [5, 0, 2, 0]
    assert shades(train, [0, 2, 4, 5]) == [0, 2, 4, 5]


def test_limit_spreads_over_each_split_and_decodes_nothing_else(folder: Path, source: TableSource, open_data: Callable[..., Data]) -> None:
    (folder / "3.png").write_text("never looked at")
    data = open_data(source, limit=3)
    assert {name: split.ids for name, split in data.splits.items()} == {
        "train": ["train0", "train2", "train5"],
        "val": ["val10", "val12", "val15"],
        "test": ["test20", "test22", "test25"],
    }
    assert shades(data.splits["train"], [0, 1, 2]) == [0, 2, 5]
    assert len(data.stores["train", "picture"]) == 3
    assert len(open_data(source, limit=3).splits["val"]) == 3
    fraction = TableSource(root=str(folder), train="val.csv", val_fraction=0.5)
    assert {name: len(split) for name, split in open_data(fraction, limit=2).splits.items()} == {"train": 2, "val": 2}


def test_bad_pictures_stop_the_command_or_count_as_absent(folder: Path, source: TableSource, open_data: Callable[..., Data]) -> None:
    (folder / "3.png").write_text("no picture")
    (folder / "14.png").unlink()
    with pytest.raises(DataError) as error:
        open_data(source)
    assert [problem.where for problem in error.value.problems] == [
        "train.csv, row 4, column 'picture'",
        "data",
        "val.csv, row 5, column 'picture'",
    ]
    data = open_data(source, on_bad="absent")
    assert data.splits["train"].present["picture"].tolist() == [True, True, True, False, True, True]
    assert [note.split(";")[0] for note in data.notes] == [
        "data.modalities.picture, train.csv: cells that cannot be read and count as absent: 1",
        "data.modalities.picture, val.csv: cells that cannot be read and count as absent: 1",
    ]
    assert open_data(source, on_bad="absent").notes == data.notes  # also when the stores are there already


def test_a_modality_that_no_row_has_is_noted(folder: Path, source: TableSource, open_data: Callable[..., Data]) -> None:
    rewrite(folder / "test.csv", words=[None] * 6)
    assert open_data(source).notes == ["data.modalities.words, test.csv: no row has it"]


def test_a_lacking_column_is_named_for_every_table(folder: Path, source: TableSource, open_data: Callable[..., Data]) -> None:
    for split in ("train", "val"):
        pl.read_csv(folder / f"{split}.csv", infer_schema=False).rename({"picture": "Picture"}).write_csv(folder / f"{split}.csv")
    with pytest.raises(DataError) as error:
        open_data(source)
    assert [str(problem).split("?")[0] for problem in error.value.problems] == [
        "data.modalities.picture: train.csv has no column 'picture'; did you mean 'Picture'",
        "data.modalities.picture: val.csv has no column 'picture'; did you mean 'Picture'",
    ]


def test_only_train_needs_labels(folder: Path, source: TableSource, open_data: Callable[..., Data]) -> None:
    pl.read_csv(folder / "test.csv", infer_schema=False).drop("label").write_csv(folder / "test.csv")
    data = open_data(source)
    assert not data.splits["test"].labelled["label"].any()
    assert data.notes == ["tasks.label: test.csv has no column 'label'; no row of test is labelled"]
    pl.read_csv(folder / "train.csv", infer_schema=False).drop("label").write_csv(folder / "train.csv")
    with pytest.raises(DataError, match=r"tasks\.label: train\.csv has no column 'label'"):
        open_data(source)


def test_with_a_state_nothing_is_fitted(
    folder: Path, source: TableSource, settings: Settings, make_modalities: Make, make_tasks: Make
) -> None:
    first = prepare(source, settings, make_modalities(), make_tasks(), progress=False)
    rewrite(folder / "train.csv", words=["changed"] * 6, label=["p", "q"] * 3)
    again = prepare(source, settings, make_modalities(), make_tasks(), progress=False, state=first.state())
    assert again.state() == first.state()
    assert again.splits["val"].targets["label"].tolist() == first.splits["val"].targets["label"].tolist()


def test_rows_in_memory_read_as_those_of_a_store(
    folder: Path, source: TableSource, settings: Settings, make_modalities: Make, make_tasks: Make
) -> None:
    data = prepare(source, settings, make_modalities(), make_tasks(), progress=False)
    modalities, tasks = make_modalities(), make_tasks()
    load_fitted(modalities, tasks, data.state())
    rows = open_rows(read_table(folder / "val.csv", Format()), settings, modalities, tasks)
    stored, loose = data.splits["val"].batch(np.arange(6)), rows.batch(np.arange(6))
    assert loose.inputs["picture"].pixels.equal(stored.inputs["picture"].pixels)
    assert loose.inputs["words"].ids.equal(stored.inputs["words"].ids)
    assert loose.inputs["facts"].numeric.equal(stored.inputs["facts"].numeric)
    assert loose.targets["size"].equal(stored.targets["size"])
    assert rows.ids == ["1", "2", "3", "4", "5", "6"]


def test_rows_to_predict_need_neither_labels_nor_every_input(
    folder: Path, source: TableSource, settings: Settings, make_modalities: Make, make_tasks: Make
) -> None:
    data = prepare(source, settings, make_modalities(), make_tasks(), progress=False)
    pl.DataFrame({"words": ["word1", None]}).write_csv(folder / "new.csv")
    rows = open_rows(read_table(folder / "new.csv", Format(), file="new.csv"), settings, data.modalities, data.tasks)
    batch = rows.batch(np.arange(2))
    assert batch.present["words"].tolist() == [True, False]
    assert not batch.present["picture"].any()
    assert not batch.labelled["label"].any()
    assert [note.split(";")[0] for note in rows.notes] == [
        "data.modalities.picture, new.csv: no row has it",
        "data.modalities.picture: new.csv has no column 'picture'",
        "data.modalities.facts: new.csv has no column 'size'",
    ]
    pl.DataFrame({"wrods": ["word1"]}).write_csv(folder / "new.csv")
    with pytest.raises(DataError, match=r"data\.modalities\.words: new\.csv has no column 'words'; did you mean 'wrods'\?"):
        open_rows(read_table(folder / "new.csv", Format(), file="new.csv"), settings, data.modalities, data.tasks)


def test_categories_that_train_never_saw_are_noted(folder: Path, source: TableSource, settings: Settings, make_tasks: Make) -> None:
    rewrite(folder / "train.csv", code=["1", "2", "1", "2", "1", "2"])
    rewrite(folder / "val.csv", code=["1.0", "2.0", "1.0", "2.0", "", ""])
    rewrite(folder / "test.csv", code=["1", "2", "1", "2", "1", "3"])
    modalities: dict[str, Any] = {"facts": TabularModality(categorical=["code"])}
    tasks = {"label": make_tasks()["label"]}
    data = prepare(source, settings, modalities, tasks, progress=False)
    found = "column 'code': 4 of 4 cells hold a value that train never saw"
    assert data.notes == [f"data.modalities.facts, val of val.csv: {found}"]
    rows = open_rows(read_table(folder / "val.csv", Format(), file="val.csv"), settings, modalities, tasks)
    assert rows.notes == [f"data.modalities.facts, val.csv: {found}"]


def test_generated_scenes_need_no_files(settings: Settings, make_tasks: Make) -> None:
    modalities: dict[str, Any] = {
        "picture": ImageModality(column="picture", height=32, width=32),
        "caption": TextModality(column="caption"),
        "tone": AudioModality(column="tone", sample_rate=8000),
    }
    tasks = make_tasks()
    tasks["label"].columns, tasks["size"].columns = ["match"], ["position"]
    data = prepare(Scenes(train=96, val=5, test=5, absent=0.2), settings, modalities, tasks, progress=False)
    batch = data.splits["train"].batch(np.arange(96))
    assert batch.inputs["picture"].pixels.shape == (96, 3, 32, 32)
    assert batch.inputs["tone"].samples.shape == (96, 2000)
    assert 60 < batch.present["tone"].sum() < 96
    assert data.splits["val"].ids[-1] == "val-00004"
