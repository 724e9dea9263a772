"""`mmtrain init` writes a YAML that passes the check and trains, whatever the table's columns are called."""

import os
from datetime import date, time, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import soundfile
import yaml
from PIL import Image

from mmtrain.cli import main
from mmtrain.config import load

ROWS = 48
DATA = os.environ.get("MMTRAIN_DATA")
RANDOM = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def _somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def png(row: int) -> bytes:
    file = BytesIO()
    Image.new("RGB", (12, 12), (5 * row, 0, 0)).save(file, "png")
    return file.getvalue()


def write_files(folder: Path) -> None:
    folder.mkdir()
    for row in range(ROWS):
        (folder / f"{row}.png").write_bytes(png(row))
        soundfile.write(folder / f"{row}.wav", RANDOM.uniform(-0.5, 0.5, 800), 8000)
        (folder / f"{row}.csv").write_text("a,b\n" + "\n".join(f"{step},{row}" for step in range(5)))
        np.save(folder / f"{row}.npy", RANDOM.normal(size=6))
    Image.new("L", (8, 8)).save(folder / "0.gif", save_all=True, append_images=[Image.new("L", (8, 8), 255)])


def everything() -> dict[str, list[Any]]:
    """A column of each kind, in files beside the table."""
    return {
        "id": [f"x{row}" for row in range(ROWS)],
        "front view": [f"media/{row}.png" if row else "" for row in range(ROWS)],
        "tone": [f"media\\{row}.wav" for row in range(ROWS)],
        "clip": ["media/0.gif"] * (ROWS - 1) + [""],
        "walk": [f"media/{row}.csv" for row in range(ROWS)],
        "embedding": [f"media/{row}.npy" for row in range(ROWS)],
        "numbers": [f"[{row}, 1, 2.5, {row / 7}]" for row in range(ROWS)],
        'ti"tle: $ #1': [f"the {'red' if row % 2 else 'blue'} cup number {row}" for row in range(ROWS)],
        "prix (€)": [f"{row / 4}" if row % 5 else "NA" for row in range(ROWS)],
        "${brand}": [("one", "two", "three")[row % 3] for row in range(ROWS)],
        "day": [str(date(2024, 1, 1) + timedelta(row)) for row in range(ROWS)],
        "constant": ["same"] * ROWS,
        "nothing": [""] * ROWS,
        "label": ["yes" if row % 2 else "no" for row in range(ROWS)],
        "size target": [str(row + 0.5) for row in range(ROWS)],
    }


def test_a_table_with_everything(capsys: pytest.CaptureFixture[str]) -> None:
    write_files(Path("media"))
    columns = everything()
    columns["clip"] = [f"media/clip{row}.gif" for row in range(ROWS)]
    for row in range(ROWS):
        Path("media", f"clip{row}.gif").write_bytes(Path("media/0.gif").read_bytes())
    pl.DataFrame(columns).write_csv("my products.csv")
    assert main(["init", "my products.csv"]) == 0
    printed = capsys.readouterr().out
    assert "targets: label, size_target (by name); --target COLUMN chooses others\n" in printed
    assert printed.endswith("written: configs/data/my_products.yaml\nnext: mmtrain check --config-dir configs data=my_products\n")
    config = load(["data=my_products"], Path("configs")).config
    modalities = {name: node["_target_"].rpartition(".")[2] for name, node in config.data["modalities"].items()}
    assert modalities == {
        "front_view": "ImageModality",
        "tone": "AudioModality",
        "clip": "VideoModality",
        "walk": "SeriesModality",
        "embedding": "VectorModality",
        "numbers": "VectorModality",
        "ti_tle_1": "TextModality",
        "facts": "TabularModality",
    }
    facts = config.data["modalities"]["facts"]
    assert [facts[name] for name in ("numeric", "categorical", "dates")] == [["prix (€)"], ["${brand}"], ["day"]]
    assert {name: node["_target_"].rpartition(".")[2] for name, node in config.tasks.items()} == {
        "label": "Binary",
        "size_target": "Regression",
    }
    wanted = {"root": ".", "train": "my products.csv", "id": "id", "missing_values": ["NA"], "stratify": "label", "val_fraction": 0.15}
    assert {name: config.data[name] for name in wanted} == wanted
    assert config.data["modalities"]["front_view"]["height"] == 12
    assert config.data["modalities"]["tone"]["sample_rate"] == 8000
    text = Path("configs/data/my_products.yaml").read_text()
    assert "#   constant: all cells are 'same'\n#   nothing: all cells are empty\n" in text
    assert main(["check", "--config-dir", "configs", "data=my_products", "data.limit=8"]) == 0


def test_typed_cells_and_a_column_of_splits(capsys: pytest.CaptureFixture[str]) -> None:
    frame = pl.DataFrame(
        {
            "part": ["train", "train", "val", "test"] * 12,
            "picture": [png(row) for row in range(ROWS)],
            "steps": [[0.5 * row] * (1 + row % 4) for row in range(ROWS)],
            "vector": [[row, 1.0, 2.0] for row in map(float, range(ROWS))],
            "words": [["a", "b", f"c{row % 5}"] for row in range(ROWS)],
            "when": [date(2024, 1, 1) + timedelta(row) for row in range(ROWS)],
            "flag": [bool(row % 2) for row in range(ROWS)],
            "amount": [row % 9 / 2 for row in range(ROWS)],
            "kinds": [{"a": 1}] * ROWS,
        }
    )
    frame.write_parquet("rows.parquet")
    assert main(["init", "rows.parquet", "--target", "amount", "--output=mine/data/typed.yaml"]) == 0
    assert "written: mine/data/typed.yaml\nnext: mmtrain check --config-dir mine data=typed" in capsys.readouterr().out
    tree = yaml.safe_load(Path("mine/data/typed.yaml").read_text())
    assert tree["data"]["split_column"] == "part"
    assert list(tree["data"]["modalities"]) == ["picture", "steps", "vector", "words", "facts"]
    assert tree["data"]["modalities"]["facts"] == {"categorical": ["flag"], "dates": ["when"]}
    assert main(["check", "--config-dir", "mine", "data=typed", "data.limit=8"]) == 0


def test_columns_called_like_a_kind_that_they_are_not() -> None:
    columns = {name: [[row / 7, 1.0, 2.0] for row in range(ROWS)] for name in ("audio", "text")}
    facts = {"video": [row / 3 for row in range(ROWS)], "label": [row % 2 for row in range(ROWS)]}
    pl.DataFrame({**columns, **facts}).write_parquet("rows.parquet")
    assert main(["init", "rows.parquet"]) == 0
    tree = yaml.safe_load(Path("configs/data/rows.yaml").read_text())
    assert list(tree["data"]["modalities"]) == ["audio_vector", "text_vector", "video_tabular"]
    assert main(["check", "--config-dir", "configs", "data=rows"]) == 0


def test_types_that_only_parquet_has() -> None:
    frame = pl.DataFrame(
        {
            "words": pl.Series([["a", f"b{row % 5}"] for row in range(ROWS)], dtype=pl.Array(pl.String, 2)),
            "took": pl.Series([timedelta(seconds=row * 1.5) for row in range(ROWS)]),
            "at": pl.Series([time(row % 4) for row in range(ROWS)]),
            "brand": pl.Series(["one" if row % 3 else "two" for row in range(ROWS)], dtype=pl.Categorical),
            "price": pl.Series([str(row / 4) if row else "NA" for row in range(ROWS)], dtype=pl.Categorical),
            "label": pl.Series(["yes" if row % 2 else "no" for row in range(ROWS)], dtype=pl.Enum(["yes", "no"])),
        }
    )
    frame.write_parquet("rows.parquet")
    assert main(["init", "rows.parquet"]) == 0
    modalities = yaml.safe_load(Path("configs/data/rows.yaml").read_text())["data"]["modalities"]
    assert modalities == {"words": {"column": "words"}, "facts": {"numeric": ["took", "price"], "categorical": ["at", "brand"]}}
    assert main(["check", "--config-dir", "configs", "data=rows"]) == 0


def test_files_of_val_and_test_beside_the_table() -> None:
    rows = [f"{row / 3},{'ab'[row % 2]}" for row in range(ROWS)]
    Path("shop").mkdir()
    for name, header in (("sale_train", "x,y"), ("sale_valid", "x,y"), ("sale_test", "x")):
        Path("shop", f"{name}.csv").write_text("\n".join([header, *(row if "y" in header else row.split(",")[0] for row in rows)]))
    assert main(["init", "shop/sale_train.csv"]) == 0
    data = yaml.safe_load(Path("configs/data/sale.yaml").read_text())["data"]
    assert [data.get(name) for name in ("root", "train", "val", "test", "val_fraction")] == [
        "shop",
        "sale_train.csv",
        "sale_valid.csv",
        "sale_test.csv",
        None,
    ]
    assert main(["check", "--config-dir", "configs", "data=sale"]) == 0
    Path("shop/sale_valid.csv").write_text("z\n1\n")  # of other columns
    assert main(["init", "shop/sale_train.csv", "--output", "configs/data/again.yaml"]) == 0
    data = yaml.safe_load(Path("configs/data/again.yaml").read_text())["data"]
    assert [data.get(name) for name in ("val", "test", "val_fraction", "test_fraction", "stratify")] == [
        None,
        "sale_test.csv",
        0.15,
        None,
        "y",
    ]
    Path("shop/sale_train.csv").rename("shop/train.csv")
    assert main(["init", "shop/train.csv"]) == 0
    assert Path("configs/data/shop.yaml").is_file()


def test_rows_that_belong_together_and_files_that_are_missing(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.png").write_bytes(png(1))
    cells = [f"{'a' if row % 3 else 'lost'}.png,p{row % 40},{row % 2}" for row in range(10 * ROWS)]
    Path("people.csv").write_text("\n".join(["photo,person_id,label", *cells]))
    assert main(["init", "people.csv"]) == 0
    data = yaml.safe_load(Path("configs/data/people.yaml").read_text())["data"]
    assert (data["group"], data["on_bad"]) == ("person_id", "absent")
    assert main(["check", "--config-dir", "configs", "data=people"]) == 0


def test_decimal_commas_between_tabs() -> None:
    Path("daten.tsv").write_text("\n".join(["preis\tlabel", *(f"{row},{row % 10}\t{row % 2}" for row in range(ROWS))]))
    assert main(["init", "daten.tsv"]) == 0
    data = yaml.safe_load(Path("configs/data/daten.yaml").read_text())["data"]
    assert (data["decimal"], data["modalities"]) == (",", {"preis": {"numeric": ["preis"]}})
    assert main(["check", "--config-dir", "configs", "data=daten"]) == 0


def test_a_european_table() -> None:
    rows = [f"{row},{row % 10};Größe {row % 3};{row % 2}" for row in range(ROWS)]
    Path("daten.csv").write_bytes("\n".join(["preis;größe;label", *rows]).encode("cp1252"))
    assert main(["init", "daten.csv"]) == 0
    data = yaml.safe_load(Path("configs/data/daten.yaml").read_text())["data"]
    assert [data[name] for name in ("encoding", "separator", "decimal")] == ["cp1252", ";", ","]
    assert data["modalities"]["facts"] == {"numeric": ["preis"], "categorical": ["größe"]}
    assert main(["check", "--config-dir", "configs", "data=daten"]) == 0


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["init"], "mmtrain init: TABLE is not given; usage: mmtrain init TABLE"),
        (["init", "nowhere/x.csv"], "nowhere/x.csv: there is no such file; name a table of rows"),
        (["init", "rows.csv"], "rows.csv: holds 3 rows; at least 10 are needed to guess from, and to split"),
        (["init", "many.csv", "--target", "laebl"], "--target: the table has no column 'laebl'; did you mean 'label'? allowed: label, x"),
        (
            ["init", "many.csv", "--output", "here.yaml"],
            "--output: 'here.yaml' is no YAML in a folder called data; for example configs/data/",
        ),
        (["init", "many.csv", "--output", "data/a b.yaml"], "--output: 'data/a b.yaml' is no YAML in a folder called data; "),
        (
            ["init", "many.csv", "--output", "data/scenes.yaml"],
            "--output: a built-in data set is called 'scenes', which would be chosen in its",
        ),
        (["init", "many.csv", "--output", "data/there.yaml"], "data/there.yaml: is there already, and is not overwritten; remove it, or "),
    ],
)
def test_mistakes_are_one_line(words: list[str], line: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("rows.csv").write_text("x,label\n1,2\n2,3\n3,4\n")
    Path("many.csv").write_text("x,label\n" + "\n".join(f"{row / 7},{row % 2}" for row in range(ROWS)))
    Path("data").mkdir()
    Path("data/there.yaml").write_text("mine")
    assert main(words) == 2
    assert capsys.readouterr().err.startswith(f"error: {line}")
    assert Path("data/there.yaml").read_text() == "mine"
    assert not Path("configs").exists()


def test_a_name_that_is_built_in_gets_another() -> None:
    Path("scenes.csv").write_text("x,label\n" + "\n".join(f"{row / 7},{row % 2}" for row in range(ROWS)))
    assert main(["init", "scenes.csv"]) == 0
    assert Path("configs/data/my_scenes.yaml").is_file()


@pytest.mark.skipif(DATA is None, reason="MMTRAIN_DATA, the folder of the data sets, is not set")
@pytest.mark.parametrize(
    ("name", "targets", "kinds"),
    [
        ("openmoji", ["group", "subgroup"], ["image", "text", "facts"]),
        ("bike_sharing", ["casual", "registered", "total"], ["facts"]),
        ("womens_clothing_small", ["recommended"], ["text", "facts"]),
        ("avdigits", ["digit", "speaker"], ["image", "audio", "speaker_accent"]),
        ("omniglot_pen", ["alphabet", "character"], ["image", "pen", "facts"]),
    ],
)
def test_real_tables(name: str, targets: list[str], kinds: list[str]) -> None:
    chosen = [word for target in targets for word in ("--target", target)]
    assert main(["init", f"{DATA}/{name}/train.csv", *chosen]) == 0
    config = load([f"data=my_{name}"], Path("configs")).config
    assert list(config.data["modalities"]) == kinds
    assert list(config.tasks) == targets
    assert (config.data["val"], config.data["test"], config.data["id"]) == ("val.csv", "test.csv", "id")
    assert main(["check", "--config-dir", "configs", f"data=my_{name}", "data.limit=12"]) == 0
