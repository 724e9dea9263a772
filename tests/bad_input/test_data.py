"""Tables, cells and files that cannot be used, and those that are merely incomplete."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mmtrain.cli import main
from mmtrain.config import load
from mmtrain.data import Data
from mmtrain.folder import RunFolder
from mmtrain.train import prepare_data

Refused = Callable[[Sequence[str]], list[str]]
NOTHING = [None] * 24


def data_of(own: Any, *overrides: str) -> Data:
    """The data that a run would train on."""
    words = [word for word in own.words(*overrides)[1:] if not word.startswith("--")]
    return prepare_data(load(words, own.configs).config)


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


@pytest.mark.parametrize(
    ("file", "spoil", "found"),
    [
        ("13.png", Path.unlink, "row 14, column 'image': '13.png' does not exist (looked for "),
        ("13.png", cut, "row 14, column 'image': '13.png' cannot be decoded as a picture: "),
        ("13.png", lambda file: file.write_text("words"), "row 14, column 'image': '13.png' is not a picture of a known format"),
        ("13.png", lambda file: file.write_bytes(b""), "row 14, column 'image': '13.png' is empty"),
        ("20.wav", Path.unlink, "row 21, column 'sound': '20.wav' does not exist (looked for "),
        ("20.wav", cut, "row 21, column 'sound': '20.wav' is cut off: its header announces 844 bytes, it has 422"),
        ("20.wav", lambda file: file.write_text("words"), "row 21, column 'sound': '20.wav' cannot be decoded as a sound: "),
        ("20.wav", lambda file: file.write_bytes(b""), "row 21, column 'sound': '20.wav' is empty"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read(own: Any, refused: Refused, file: str, spoil: Callable[[Path], Any], found: str) -> None:
    spoil(own.folder / file)
    line, total = refused(own.words())
    assert line.startswith(f"train.csv, {found}")
    assert total.endswith("cells that cannot be read: 1, the first are named above; mend them, or set data.on_bad=absent")


def test_all_files_absent(own: Any, refused: Refused) -> None:
    for file in own.folder.glob("*.png"):
        file.unlink()
    lines = refused(own.words())
    assert sum(line.startswith("train.csv, row ") for line in lines) == 10
    assert any("cells that cannot be read: 24, the first are named above" in line for line in lines)


def test_bad_cells_may_count_as_absent(own: Any, capsys: pytest.CaptureFixture[str]) -> None:
    cut(own.folder / "13.png")
    own.spoil("train", "size", 3, "abc")
    assert main(own.words("data.on_bad=absent", command="check")) == 0
    out = capsys.readouterr().out
    assert "note: data.modalities.picture, train.csv: cells that cannot be read and count as absent: 1; the first: train.csv, row 14" in out
    assert "note: data.modalities.facts, train.csv: cells that cannot be read and count as absent: 1; the first: train.csv, row 4" in out
    data = data_of(own, "data.on_bad=absent")
    assert np.flatnonzero(~data.splits["train"].present["picture"]).tolist() == [13]
    assert np.flatnonzero(~data.splits["train"].present["facts"]).tolist() == [3]


def test_a_word_among_numbers(own: Any, refused: Refused) -> None:
    own.spoil("train", "size", 3, "abc")
    assert refused(own.words())[0] == "train.csv, row 4, column 'size': found 'abc', which is no number"
    own.write("train")
    own.spoil("val", "price", 5, "abc")
    assert refused(own.words())[0] == "val.csv, row 6, column 'price': found 'abc', which is no number"


def test_problems_of_all_modalities_are_told_at_once(own: Any, refused: Refused) -> None:
    (own.folder / "5.wav").unlink()
    (own.folder / "20.png").unlink()
    own.spoil("val", "size", 3, "abc")
    found = "\n".join(refused(own.words()))
    for line in ("train.csv, row 21, column 'image'", "train.csv, row 6, column 'sound'", "val.csv, row 4, column 'size'"):
        assert line in found


def test_nothing_to_learn(own: Any, refused: Refused) -> None:
    own.write("train", price=["7"] * 24, kind=["plum"] * 24, fresh=NOTHING)
    assert [line.split(";")[0] for line in refused(own.words())] == [
        "tasks.kind: all 24 labels of column 'kind' in train are 'plum'",
        "tasks.fresh: none of the 24 train rows in train.csv has a label in column 'fresh'",
        "tasks.price: all 24 labels of column 'price' in train are 7",
    ]
    own.write("train", price=NOTHING)
    assert refused(own.words())[0].startswith("tasks.price: none of the 24 train rows in train.csv has a label in column 'price'")


def test_a_third_label_of_a_binary_task(own: Any, refused: Refused) -> None:
    own.spoil("train", "fresh", 1, "maybe")
    [line] = refused(own.words())
    assert line == (
        "tasks.fresh: column 'fresh' has 3 labels in train ('maybe', 'no', 'yes') where a binary task has two; "
        "choose task@tasks.fresh=classification"
    )


@pytest.mark.parametrize("split", ["train", "val"])
def test_no_row_with_both_a_modality_and_a_label(own: Any, refused: Refused, split: str) -> None:
    """Half of the rows have all inputs, the other half all labels."""
    rows = 24 if split == "train" else 12

    def half(cells: Sequence[str], first: bool) -> list[str | None]:
        return [cell if (row < rows // 2) == first else None for row, cell in enumerate(cells)]

    inputs = {name: half(["5"] * rows, True) for name in ("name", "size")} | dict.fromkeys(("image", "sound"), [None] * rows)
    targets = {"kind": ["plum", "pear"], "fresh": ["yes", "no"], "price": ["1", "2"]}
    own.write(split, **inputs, **{name: half(cells * (rows // 2), False) for name, cells in targets.items()})
    [line] = refused(own.words())
    assert line == f"data.{split}: no row has both a modality and a label; check the columns of data.modalities and tasks"


def test_ids_that_are_not_one_a_row(own: Any, refused: Refused) -> None:
    own.spoil("train", "id", 7, "train2")
    own.spoil("val", "id", 4, None)
    assert refused(own.words()) == [
        "train.csv, column 'id': id 'train2' stands in rows 3 and 8; give every row its own, or leave data.id out",
        "val.csv, column 'id': no id in row 5; give every row one",
    ]


def test_a_file_that_is_not_there(own: Any, refused: Refused) -> None:
    (own.folder / "val.csv").unlink()
    assert refused(own.words()) == [f"data.val: no file '{own.folder / 'val.csv'}'; is data.root right?"]
    shutil.rmtree(own.folder)
    assert len(refused(own.words())) == 3


def test_a_file_without_rows(own: Any, refused: Refused) -> None:
    header = (own.folder / "val.csv").read_text().splitlines()[0]
    (own.folder / "val.csv").write_text(header + "\n")
    assert refused(own.words()) == ["val.csv: holds no rows; give a file with at least one row below the header"]
    (own.folder / "val.csv").write_bytes(b"")
    assert refused(own.words())[0].startswith("data.")


def test_a_split_without_rows(own: Any, refused: Refused) -> None:
    own.edit("  val: val.csv\n", "  val_fraction: 0.01\n")
    assert refused(own.words()) == ["data.val: no row of train.csv falls to it; give it rows"]


def test_a_column_that_names_no_split(own: Any, refused: Refused) -> None:
    own.edit("  val: val.csv\n  test: test.csv\n", "  split_column: fresh\n")
    assert refused(own.words()) == [
        f"train.csv, column 'fresh': '{cell}' is no split (rows: 12); allowed: train, val, test" for cell in ("yes", "no")
    ]


def test_a_row_with_a_cell_too_few(own: Any, refused: Refused) -> None:
    file = own.folder / "train.csv"
    file.write_text(file.read_text() + "a,b\n")
    [line] = refused(own.words())
    assert line.startswith("train.csv, row 25: 2 cells where the header has 8; ")


def test_a_class_that_train_never_saw(own: Any, refused: Refused, capsys: pytest.CaptureFixture[str]) -> None:
    own.spoil("val", "kind", 3, "fig")
    assert refused(own.words("data.on_unseen=error")) == [
        "tasks.kind, val.csv: train never saw 'fig' (rows: 1); add rows to train, or set data.on_unseen=warn"
    ]
    assert main(own.words(command="check")) == 0
    assert "note: tasks.kind, val.csv: train never saw 'fig' (rows: 1); these rows count as wrong" in capsys.readouterr().out


def test_missing_labels_cost_no_row(own: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Four fifths of the labels of one task are empty: the others keep every row."""
    kinds = ["apple", "pear", "plum"]
    own.write("train", kind=[kinds[row % 3] if row % 5 == 0 else None for row in range(24)])
    assert main(own.words(command="check")) == 0
    table = [line.replace("│", " ").split() for line in capsys.readouterr().out.splitlines()]
    assert ["rows", "24", "12", "12"] in table
    assert ["kind", "classification", "5", "(21%)", "12", "12"] in table
    assert ["fresh", "binary", "24", "12", "12"] in table
    assert ["price", "regression", "24", "12", "12"] in table
    data = data_of(own)
    assert {name: task.spec.labels for name, task in data.tasks.items()} == {"kind": 5, "fresh": 24, "price": 24}
    assert len(data.splits["train"]) == 24


def test_missing_pictures_stay_missing(own: Any) -> None:
    """Half of the cells are empty: every other row keeps its own picture, and none takes its neighbour's."""
    own.write("train", image=[f"{row}.png" if row % 2 else None for row in range(24)])
    batch = data_of(own).splits["train"].batch(np.arange(24))
    assert batch.present["picture"].tolist() == [row % 2 == 1 for row in range(24)]
    assert batch.inputs["picture"].pixels[1::2, 0, 0, 0].tolist() == [10 * row for row in range(1, 24, 2)]
    assert batch.labelled["kind"].all()


def test_test_rows_may_be_left_out(own: Any, refused: Refused) -> None:
    own.edit("  test: test.csv\n", "")
    assert main(own.words()) == 0
    assert RunFolder(own.run).results()["test"] is None
    assert refused(["evaluate", str(own.run)]) == ["--split: the data have no 'test'; allowed: train, val"]
