"""Data sets of the library `datasets`, written here; nothing is asked of the network."""

import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from PIL import Image

from mmtrain.errors import ConfigError, DataError
from mmtrain.source import HuggingfaceSource, Splits

datasets = pytest.importorskip("datasets")


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No network, no bars, and a cache of the test's own."""
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    datasets.disable_progress_bars()


def png(colour: tuple[int, int, int]) -> bytes:
    file = BytesIO()
    Image.new("RGB", (4, 4), colour).save(file, "png")
    return file.getvalue()


def rows(count: int) -> Any:
    features = datasets.Features(
        {
            "picture": datasets.Image(),
            "kind": datasets.ClassLabel(names=["cat", "dög"]),
            "tags": datasets.List(datasets.ClassLabel(names=["O", "B"])),
            "words": datasets.List(datasets.Value("string")),
            "weight": datasets.Value("float32"),
            "text": datasets.Value("string"),
            "sound": {"bytes": datasets.Value("binary"), "path": datasets.Value("string")},
        }
    )
    table = {
        "picture": [{"bytes": png((row, 0, 0)), "path": None} if row != 1 else None for row in range(count)],
        "sound": [{"bytes": b"a sound", "path": None}] * count,
        "kind": [(0, 1, -1)[row % 3] for row in range(count)],
        "tags": [[0, 1]] * count,
        "words": [["a", "b"]] * count,
        "weight": [row / 4 if row else float("nan") for row in range(count)],
        "text": ["" if row == 2 else "NA" if row == 3 else f"row {row}" for row in range(count)],
    }
    return datasets.Dataset.from_dict(table, features=features).cast_column("sound", datasets.Audio())


def cells(splits: Splits, split: str, column: str) -> list[Any]:
    table, found = splits.rows[split]
    return splits.tables[table].take(found).frame[column].to_list()


def sizes(splits: Splits) -> dict[str, int]:
    return {name: len(found) for name, (_, found) in splits.rows.items()}


def source(path: Path | str, **options: Any) -> HuggingfaceSource:
    return HuggingfaceSource(dataset=str(path), **options)


def test_cells_stay_as_they_are_but_files_and_classes(tmp_path: Path) -> None:
    datasets.DatasetDict({"train": rows(6), "dev": rows(3), "test": rows(4)}).save_to_disk(tmp_path / "saved")
    splits = source(tmp_path / "saved", missing_values=["NA"]).tables()
    assert sizes(splits) == {"train": 6, "val": 3, "test": 4}
    pictures = cells(splits, "train", "picture")
    assert [cell and Image.open(BytesIO(cell)).getpixel((0, 0)) for cell in pictures[:3]] == [(0, 0, 0), None, (2, 0, 0)]
    assert cells(splits, "test", "sound") == [b"a sound"] * 4
    assert cells(splits, "train", "kind") == ["cat", "dög", None] * 2
    assert cells(splits, "val", "tags") == [["O", "B"]] * 3
    assert cells(splits, "val", "words") == [["a", "b"]] * 3
    assert cells(splits, "train", "weight")[:3] == [None, 0.25, 0.5]
    assert cells(splits, "train", "text") == ["row 0", "row 1", None, None, "row 4", "row 5"]
    assert splits.tables["val"].file == f"{tmp_path / 'saved'}/dev"
    assert splits.ids["test"] == ["1", "2", "3", "4"]


def test_paths_where_the_files_lie_outside(tmp_path: Path) -> None:
    for row in range(8):
        file = tmp_path / "photos" / "train" / ("cat", "dog")[row % 2] / f"{row}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(png((row, 0, 0)))
    splits = source(tmp_path / "photos", stratify="label", val_fraction=0.25).tables()
    assert sorted(cells(splits, "val", "label")) == ["cat", "dog"]
    assert sizes(splits) == {"train": 6, "val": 2}
    assert sorted(Path(cell).name for cell in cells(splits, "train", "image") + cells(splits, "val", "image")) == [
        f"{row}.png" for row in range(8)
    ]
    assert all(Path(cell).is_file() for cell in cells(splits, "train", "image"))


def test_a_folder_of_parquet_files(tmp_path: Path) -> None:
    (tmp_path / "tables").mkdir()
    for name, count in (("train", 10), ("validation", 3)):
        pl.DataFrame({"name": [f"{name}-{row}" for row in range(count)], "y": list(range(count))}).write_parquet(
            tmp_path / "tables" / f"{name}.parquet"
        )
    splits = source(tmp_path / "tables", id="name", test_fraction=0.2).tables()
    assert sizes(splits) == {"train": 8, "val": 3, "test": 2}
    assert splits.ids["val"] == ["validation-0", "validation-1", "validation-2"]
    assert cells(splits, "val", "y") == [0, 1, 2]
    grouped = source(tmp_path / "tables", val="train", train="validation", group="name").tables()
    assert sizes(grouped) == {"train": 3, "val": 10}


def test_one_split_alone(tmp_path: Path) -> None:
    rows(4).save_to_disk(tmp_path / "alone")
    assert sizes(source(tmp_path / "alone", val_fraction=0.25).tables()) == {"train": 3, "val": 1}
    with pytest.raises(ConfigError, match=r"^data\.val_fraction: is 0, and '.*alone' has no validation rows of its own; raise it$"):
        source(tmp_path / "alone", val_fraction=0.0).tables()
    with pytest.raises(ConfigError, match=r"^data\.test: '.*alone' has no split 'tset'; allowed: train$"):
        source(tmp_path / "alone", test="tset").tables()
    with pytest.raises(DataError, match=r"^data\.stratify: .*alone/train has no column 'knid'; did you mean 'kind'\?"):
        source(tmp_path / "alone", stratify="knid").tables()
    with pytest.raises(ConfigError, match=r"^data\.val_fraction: with data\.test_fraction it comes to 1;"):
        source("x", val_fraction=0.5, test_fraction=0.5)


def test_splits_of_other_names(tmp_path: Path) -> None:
    datasets.DatasetDict({"a": rows(6), "b": rows(3)}).save_to_disk(tmp_path / "saved")
    with pytest.raises(ConfigError, match=r"^data\.train: '.*' has no split 'train'; choose one: a, b$"):
        source(tmp_path / "saved").tables()
    assert sizes(source(tmp_path / "saved", train="a", val="b").tables()) == {"train": 6, "val": 3}


def test_a_data_set_that_cannot_be_reached() -> None:
    with pytest.raises(DataError) as error:
        source("nobody/nothing").tables()
    assert str(error.value).startswith("data.dataset: 'nobody/nothing' cannot be loaded: ")
    assert str(error.value).endswith("; without a connection, give the path of a folder that holds it")


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(ConfigError, match=r'^data: a source .* needs the library datasets; pip install "mmtrain\[huggingface\]"$'):
        source("x").tables()
