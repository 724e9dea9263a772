"""Pairs of digits from files in MNIST's form."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PIL import Image

from mmtrain.errors import DataError
from mmtrain.modality import ImageModality
from mmtrain.source import MultiMNIST
from mmtrain.source.multi_mnist import overlaid


def mnist(folder: Path) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    random, found = np.random.default_rng(0), {}
    for name, rows in (("train", 12), ("t10k", 5)):
        pictures, labels = random.integers(0, 256, (rows, 28, 28), np.uint8), random.integers(0, 10, rows).astype(np.uint8)
        sizes = [number.to_bytes(4, "big") for number in (rows, 28, 28)]
        images = b"\x00\x00\x08\x03" + b"".join(sizes) + pictures.tobytes()
        (folder / f"{name}-images-idx3-ubyte.gz").write_bytes(gzip.compress(images))
        (folder / f"{name}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(b"\x00\x00\x08\x01" + sizes[0] + labels.tobytes()))
        found[name] = (pictures, labels)
    return found


def test_every_digit_comes_first_in_one_picture(tmp_path: Path) -> None:
    digits = mnist(tmp_path)
    splits = MultiMNIST(root=str(tmp_path), val=4).tables()
    assert {split: len(rows) for split, (_, rows) in splits.rows.items()} == {"train": 8, "val": 4, "test": 5}
    left = [int(label or "") for split in ("train", "val") for label in splits.tables[split].text("left")]
    assert left == digits["train"][1].tolist()
    right = sorted(int(label or "") for label in splits.tables["train"].text("right"))
    assert right == sorted(left[:8])  # the same digits, in another order: none of val's
    assert splits.ids["val"] == [f"val-{row:05d}" for row in range(4)]


def test_pictures_hold_both_digits(tmp_path: Path) -> None:
    mnist(tmp_path)
    table = MultiMNIST(root=str(tmp_path), val=4).tables().tables["test"]
    arrays, present = ImageModality(column="picture", height=28, width=28, channels=1).encode(table)
    assert present.all()
    pictures = np.frombuffer(gzip.decompress((tmp_path / "t10k-images-idx3-ubyte.gz").read_bytes())[16:], np.uint8).reshape(-1, 28, 28)
    others = np.random.default_rng([0, 2]).permutation(5)
    stored = np.asarray(arrays["pixels"]).reshape(5, 28, 28)
    for row in range(5):
        left, right = (Image.new("L", (36, 36)) for _ in range(2))
        left.paste(Image.fromarray(pictures[row]), (1, 1))
        right.paste(Image.fromarray(pictures[others[row]]), (7, 7))
        both = Image.fromarray(np.maximum(np.asarray(left), np.asarray(right))).resize((28, 28), Image.Resampling.NEAREST)
        assert_array_equal(stored[row], np.asarray(both))


def test_the_second_digit_lies_lower_and_to_the_right() -> None:
    dot, nothing = np.zeros((1, 28, 28), np.uint8), np.zeros((1, 28, 28), np.uint8)
    dot[0, 10:13, 10:13] = 255
    left, right = overlaid(dot, nothing)[0].nonzero(), overlaid(nothing, dot)[0].nonzero()
    assert np.mean(right[0]) - np.mean(left[0]) == np.mean(right[1]) - np.mean(left[1]) == pytest.approx(6 * 28 / 36, abs=1)


def test_the_seed_deals_pairs_anew(tmp_path: Path) -> None:
    mnist(tmp_path)
    ones, same, other = (MultiMNIST(root=str(tmp_path), val=4, seed=seed).tables().tables["train"] for seed in (0, 0, 1))
    assert ones.frame.equals(same.frame)
    assert ones.text("left") == other.text("left")
    assert ones.text("right") != other.text("right")


def test_files_that_are_none_of_mnist(tmp_path: Path) -> None:
    with pytest.raises(DataError) as error:
        MultiMNIST(root=str(tmp_path)).tables()
    missing = tmp_path / "train-images-idx3-ubyte.gz"
    assert str(error.value) == f"data.root: '{missing}' cannot be read: No such file or directory; name the folder with MNIST's four files"
    mnist(tmp_path)
    with pytest.raises(DataError, match=r"^data.val: 12 of 12 digits are kept from train; keep fewer$"):
        MultiMNIST(root=str(tmp_path), val=12).tables()
    missing.write_bytes(gzip.compress(b"something else"))
    with pytest.raises(DataError, match="is no such file of MNIST"):
        MultiMNIST(root=str(tmp_path)).tables()
    missing.write_bytes(b"not compressed")
    with pytest.raises(DataError, match="cannot be read: Not a gzipped file"):
        MultiMNIST(root=str(tmp_path)).tables()
    mnist(tmp_path)
    missing.write_bytes(missing.read_bytes()[:-20])
    with pytest.raises(DataError, match="cannot be read: Compressed file ended"):
        MultiMNIST(root=str(tmp_path)).tables()
    mnist(tmp_path)
    labels = gzip.compress(b"\x00\x00\x08\x01" + bytes(4 + 3))
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(labels)
    with pytest.raises(DataError, match="'train' has 3 labels, and pixels of 12 pictures"):
        MultiMNIST(root=str(tmp_path)).tables()
