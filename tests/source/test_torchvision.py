"""Sets that torchvision knows by name, written here as torchvision lays them out."""

import pickle
import struct
from collections import Counter
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mmtrain.cli import main
from mmtrain.errors import ConfigError, DataError
from mmtrain.source import Splits, TorchvisionSource

RANDOM = np.random.default_rng(0)
DIGITS = {"train": (RANDOM.integers(0, 256, (40, 28, 28), np.uint8), np.arange(40, dtype=np.uint8) % 10)}
DIGITS["t10k"] = (RANDOM.integers(0, 256, (10, 28, 28), np.uint8), np.arange(10, dtype=np.uint8))


def write_mnist(root: Path, folder: str = "FashionMNIST") -> None:
    """The IDX files: a magic number that tells type and dimensions, the sizes, the bytes."""
    (root / folder / "raw").mkdir(parents=True)
    for name, (images, labels) in DIGITS.items():
        for what, array in (("images-idx3", images), ("labels-idx1", labels)):
            head = struct.pack(f">{1 + array.ndim}i", 0x0800 + array.ndim, *array.shape)
            (root / folder / "raw" / f"{name}-{what}-ubyte").write_bytes(head + array.tobytes())


def write_folders(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """EuroSAT: a folder a class, one split."""
    for name in ("Forest", "River"):
        (root / "eurosat" / "2750" / name).mkdir(parents=True)
        for number in range(10):
            Image.new("RGB", (8, 8), (number, 0, 0)).save(root / "eurosat" / "2750" / name / f"{name}_{number}.jpg")


def cells(splits: Splits, split: str, column: str) -> list[Any]:
    table, rows = splits.rows[split]
    return splits.tables[table].take(rows).frame[column].to_list()


def source(name: str, root: Path, **options: Any) -> TorchvisionSource:
    return TorchvisionSource(dataset=name, root=str(root), **options)


def test_a_set_with_its_own_test_rows(tmp_path: Path) -> None:
    write_mnist(tmp_path)
    splits = source("FashionMNIST", tmp_path, val_fraction=0.25).tables()
    assert {name: len(rows) for name, (_, rows) in splits.rows.items()} == {"train": 30, "val": 10, "test": 10}
    assert Counter(cells(splits, "val", "label")).most_common(1)[0][1] == 1  # spread over the ten labels
    for split, stored in (("train", "train"), ("test", "t10k")):
        table, rows = splits.rows[split]
        pixels = [np.asarray(Image.open(BytesIO(cell))) for cell in cells(splits, split, "image")]
        assert np.array_equal(np.stack(pixels), DIGITS[stored][0][rows])
        assert splits.tables[table].file == f"FashionMNIST/{split}"
    names = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]
    assert cells(splits, "test", "label") == names
    assert splits.ids["test"] == [str(number) for number in range(10)]
    assert splits.tables["test"].frame.columns == TorchvisionSource.columns


def test_pictures_in_colour_are_kept_without_loss(tmp_path: Path) -> None:
    """CIFAR: pickled batches, channels first; the checksums that torchvision knows are those of the real files."""
    pixels = RANDOM.integers(0, 256, (20, 3, 32, 32), np.uint8)
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    from torchvision.datasets import CIFAR10

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CIFAR10, "_check_integrity", lambda self: True)
        patch.setattr("torchvision.datasets.cifar.check_integrity", lambda *_: True)
        for name, _ in [*CIFAR10.train_list, *CIFAR10.test_list]:
            (folder / name).write_bytes(pickle.dumps({"data": pixels.reshape(20, -1), "labels": [row % 10 for row in range(20)]}))
        (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": list("abcdefghij")}))
        splits = source("CIFAR10", tmp_path).tables()
    assert len(splits.tables["train"]) == 100
    found = np.stack([np.asarray(Image.open(BytesIO(cell))) for cell in cells(splits, "test", "image")])
    assert np.array_equal(found, pixels.transpose(0, 2, 3, 1))
    assert cells(splits, "test", "label")[:3] == ["a", "b", "c"]


def test_a_set_of_files_gives_their_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_folders(tmp_path, monkeypatch)
    splits = source("EuroSAT", tmp_path, val_fraction=0.2, test_fraction=0.3).tables()
    assert {name: Counter(cells(splits, name, "label")) for name in splits.rows} == {
        "train": {"Forest": 5, "River": 5},
        "val": {"Forest": 2, "River": 2},
        "test": {"Forest": 3, "River": 3},
    }
    assert all(Path(cell).is_file() for cell in cells(splits, "train", "image"))


class Sized:
    """What a data set of torchvision is to us; the arguments are noted."""

    made: list[dict[str, Any]]
    item: Any = (Image.new("L", (2, 2)), 0)
    splits = ("train", "valid", "test")

    def __init__(self, root: str, split: str = "train", **more: Any) -> None:
        if split not in self.splits:
            raise ValueError(f"Unknown value '{split}' for argument split. Valid values are {self.splits}.")
        self.made.append({"root": root, "split": split, **more})

    def __len__(self) -> int:
        return 20

    def __getitem__(self, row: int) -> Any:
        return self.item


@pytest.fixture
def sized(monkeypatch: pytest.MonkeyPatch) -> Callable[..., type[Sized]]:
    from torchvision import datasets

    def made(**attributes: Any) -> type[Sized]:
        kind = type("FakeData", (Sized,), {"made": [], **attributes})
        monkeypatch.setattr(datasets, "FakeData", kind)
        return kind

    return made


def test_splits_by_their_names(sized: Callable[..., type[Sized]], tmp_path: Path) -> None:
    kind = sized(item=(Image.new("1", (9, 9)), np.int64(3)))
    splits = source("FakeData", tmp_path, val_fraction=0.5).tables()
    assert [made["split"] for made in kind.made] == ["train", "valid", "test"]
    assert {name: len(rows) for name, (_, rows) in splits.rows.items()} == {"train": 20, "val": 20, "test": 20}
    assert set(cells(splits, "train", "label")) == {"3"}
    assert Image.open(BytesIO(cells(splits, "train", "image")[0])).format == "PNG"


def test_a_chosen_split_is_dealt_out(sized: Callable[..., type[Sized]], tmp_path: Path) -> None:
    kind = sized(item=(Image.new("RGB", (300, 300)), None), splits=("letters",))
    splits = source("FakeData", tmp_path, options={"split": "letters"}, val_fraction=0.1).tables()
    assert [made["split"] for made in kind.made] == ["letters"]
    assert {name: len(rows) for name, (_, rows) in splits.rows.items()} == {"train": 18, "val": 2}
    assert cells(splits, "val", "label") == [None, None]
    assert len(cells(splits, "val", "image")[0]) < 300 * 300
    with pytest.raises(
        ConfigError, match=r"^data\.dataset: FakeData calls none of its splits train; choose one: data\.options\.split=NAME$"
    ):
        source("FakeData", tmp_path).tables()


def test_classes_of_one_name_stay_apart(sized: Callable[..., type[Sized]], tmp_path: Path) -> None:
    sized(item=(Image.new("L", (2, 2)), 2), classes=[("crane",), ("tench", "Tinca tinca"), ("crane",)])
    assert set(cells(source("FakeData", tmp_path).tables(), "train", "label")) == {"crane (2)"}
    sized(item=(Image.new("L", (2, 2)), 1), classes=[("crane",), ("tench", "Tinca tinca"), ("crane",)])
    assert set(cells(source("FakeData", tmp_path).tables(), "train", "label")) == {"tench, Tinca tinca"}


@pytest.mark.parametrize(
    ("item", "found"),
    [
        (("not a picture", {"boxes": []}), "a picture of FakeData has a dict where this source takes one label; write a table of its rows"),
        ((b"clip", 1), "FakeData gives no pictures, but a bytes"),
    ],
)
def test_sets_of_another_kind(sized: Callable[..., type[Sized]], tmp_path: Path, item: Any, found: str) -> None:
    sized(item=item)
    with pytest.raises(ConfigError, match=f"^data\\.dataset: {found}"):
        source("FakeData", tmp_path).tables()


def test_a_set_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError) as error:
        source("MNIST", tmp_path).tables()
    [problem] = error.value.problems
    assert problem.found.startswith(f"MNIST cannot be read from '{tmp_path}': Dataset not found")
    assert problem.fix == "name the folder that it lies in, or set data.download=true"
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ConfigError, match=r"^data\.dataset: torchvision has no data set 'CIFAR01'; did you mean 'CIFAR10'\?$"):
        source("CIFAR01", tmp_path).tables()
    with pytest.raises(ConfigError, match=r"^data\.options\.spilt: EMNIST does not take it; allowed: split, train$"):
        source("EMNIST", tmp_path, options={"spilt": "letters"}).tables()
    with pytest.raises(DataError, match="EMNIST cannot be read from"):
        source("EMNIST", tmp_path, options={"split": "letters"}).tables()


def test_no_rows_for_val(tmp_path: Path) -> None:
    write_mnist(tmp_path)
    with pytest.raises(DataError, match=r"^data\.val_fraction: is 0, and FashionMNIST has no validation rows of its own; raise it$"):
        source("FashionMNIST", tmp_path, val_fraction=0.0).tables()


def test_a_set_trains(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_mnist(tmp_path)
    words = ["data=torchvision", "data.dataset=FashionMNIST", "data.root=.", "data.val_fraction=0.25"]
    assert main(["check", *words, "data.modalities.picture.channels=1"]) == 0
