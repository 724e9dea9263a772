"""Folders of classes to splits, and every way to lay them out wrong."""

import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import mmtrain.predict
from mmtrain.cli import main
from mmtrain.errors import ConfigError, DataError
from mmtrain.source import FolderSource, Splits


def fill(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)


def cells(splits: Splits, split: str, column: str = "file") -> list[str | None]:
    table, rows = splits.rows[split]
    return splits.tables[table].take(rows).text(column)


def source(folder: Path, **options: Any) -> FolderSource:
    return FolderSource(root=str(folder), **options)


def test_a_folder_a_split(tmp_path: Path) -> None:
    fill(
        tmp_path,
        "train/cat/2.png",
        "train/cat/10.png",
        "train/dog/deep/1.jpg",
        "val/dog/1.png",
        "test/cat/1.png",
        "README.md",
        "other/x.png",
    )
    splits = source(tmp_path).tables()
    assert {name: cells(splits, name) for name in splits.rows} == {
        "train": ["train/cat/10.png", "train/cat/2.png", "train/dog/deep/1.jpg"],
        "val": ["val/dog/1.png"],
        "test": ["test/cat/1.png"],
    }
    assert cells(splits, "train", "label") == ["cat", "cat", "dog"]
    assert cells(splits, "train", "id") == splits.ids["train"] == cells(splits, "train")
    table = splits.tables["train"]
    assert (table.file, table.root, table.numbers.tolist()) == (str(tmp_path / "train"), tmp_path, [1, 2, 3])
    assert table.path("train/cat/2.png").read_text() == "train/cat/2.png"
    assert table.frame.columns == FolderSource.columns


def test_classes_in_one_place_are_split_by_fraction_evenly(tmp_path: Path) -> None:
    fill(tmp_path, *(f"{name}/{number:02}" for name, count in (("ä b", 30), ("c", 10)) for number in range(count)))
    splits = source(tmp_path, val_fraction=0.2, test_fraction=0.1).tables()
    counts = {name: Counter(cells(splits, name, "label")) for name in splits.rows}
    assert counts == {"train": {"ä b": 21, "c": 7}, "val": {"ä b": 6, "c": 2}, "test": {"ä b": 3, "c": 1}}
    assert sorted(str(cell) for name in splits.rows for cell in cells(splits, name)) == sorted(splits.ids["train"])
    assert cells(source(tmp_path, val_fraction=0.2, test_fraction=0.1).tables(), "val") == cells(splits, "val")
    assert cells(source(tmp_path, val_fraction=0.2, split_seed=1).tables(), "val") != cells(
        source(tmp_path, val_fraction=0.2).tables(), "val"
    )


@pytest.mark.parametrize("name", ["valid", "validation"])
def test_other_names_of_val_and_a_fraction_for_test(tmp_path: Path, name: str) -> None:
    fill(tmp_path, *(f"train/a/{number}" for number in range(10)), "train/b/0", f"{name}/a/1")
    splits = source(tmp_path, val_fraction=0.5, test_fraction=0.2).tables()
    assert cells(splits, "val") == [f"{name}/a/1"]
    assert (len(cells(splits, "train")), len(cells(splits, "test"))) == (9, 2)


def test_hidden_files_and_other_extensions_are_passed_over(tmp_path: Path) -> None:
    shown = ["a/1.PNG", "a/2.jpeg", "b/3.png"]
    fill(tmp_path, *shown, "a/.DS_Store", "a/Thumbs.db", "a/.hidden/4.png", ".git/5.png", "a/notes.txt", "a/nothing")
    options: dict[str, Any] = {"extensions": ["png", ".JPEG"], "val_fraction": 0.34}
    splits = source(tmp_path, **options).tables()
    assert sorted(splits.ids["train"]) == shown
    assert sorted(source(tmp_path, val_fraction=0.34).tables().ids["train"]) == [*shown[:2], "a/notes.txt", "a/nothing", shown[2]]


def test_what_is_no_folder_of_classes(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"^data\.root: there is no folder '.*nowhere'; name the folder that holds a folder for each class$"
    ):
        source(tmp_path / "nowhere").tables()
    fill(tmp_path, "loose.png")
    with pytest.raises(DataError, match=r": holds no folder; put the files of each class into a folder of the class's name$"):
        source(tmp_path).tables()
    (tmp_path / "train" / "cat").mkdir(parents=True)
    with pytest.raises(DataError, match=r"train: its 1 folders hold no file$"):
        source(tmp_path).tables()
    fill(tmp_path, "train/dog/1.txt")
    with pytest.raises(DataError, match=r"train/cat: holds no file; remove the folder, or fill it$"):
        source(tmp_path).tables()
    with pytest.raises(DataError, match=r"its 2 folders hold no file with the extension \.jpg or \.png$"):
        source(tmp_path, extensions=["png", "jpg"]).tables()


def test_val_may_lack_a_class_but_not_all(tmp_path: Path) -> None:
    fill(tmp_path, "train/a/1", "train/b/1", "val/a/1")
    (tmp_path / "val" / "b").mkdir()
    assert cells(source(tmp_path).tables(), "val", "label") == ["a"]
    (tmp_path / "val" / "a" / "1").unlink()
    with pytest.raises(DataError, match=r"val: its 2 folders hold no file$"):
        source(tmp_path).tables()


def test_splits_that_are_not_clear(tmp_path: Path) -> None:
    fill(tmp_path, "val/a/1")
    with pytest.raises(DataError, match=r"holds a folder 'val' but none called 'train'; add it$"):
        source(tmp_path).tables()
    fill(tmp_path, "train/a/1", "valid/a/1")
    with pytest.raises(DataError, match=r"holds both 'val' and 'valid'; keep one of the two$"):
        source(tmp_path).tables()
    with pytest.raises(ConfigError, match=r"^data\.val_fraction: with data\.test_fraction it comes to 1\.1; leave rows for train$"):
        source(tmp_path, val_fraction=0.6, test_fraction=0.5)


def test_validation_rows_have_to_come_from_somewhere(tmp_path: Path) -> None:
    fill(tmp_path, "a/1", "b/1", "b/2")
    with pytest.raises(DataError, match=r"^data\.val_fraction: is 0, and '.*' holds no folder 'val'; give one of the two$"):
        source(tmp_path, val_fraction=0.0).tables()
    with pytest.raises(DataError, match=r"^data\.val: no row of .* falls to it; give it rows$"):
        source(tmp_path, val_fraction=0.01).tables()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems allow no such name")
def test_a_name_that_is_no_text(tmp_path: Path) -> None:
    fill(tmp_path, "a/1")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/a/\xff")).write_text("x")
    with pytest.raises(DataError, match=r"^data\.root: the name 'a/\\udcff' is not UTF-8; rename it$"):
        source(tmp_path).tables()


def test_pictures_in_folders_train_and_predict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, colour in (("red", (255, 0, 0)), ("blue", (0, 0, 255))):
        for number in range(8):
            Path("photos", name).mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (8, 8), colour).save(f"photos/{name}/{number}.png")
    words = [
        "data=folder",
        "data.root=photos",
        "data.val_fraction=0.25",
        "data.modalities.picture.height=8",
        "data.modalities.picture.width=8",
    ]
    assert main(["train", *words, "training.steps=2", "hydra.run.dir=run"]) == 0
    Path("new.csv").write_text("file,id\nphotos/red/1.png,x\nphotos/blue/2.png,y\n")
    found = mmtrain.predict.predict(Path("run"), Path("new.csv"), Path("out.csv"))
    assert found["id"].to_list() == ["x", "y"]
    assert set(found["label"]) <= {"red", "blue"}
    assert main(["train", *words, "data.modalities.picture.column=files"]) == 2
