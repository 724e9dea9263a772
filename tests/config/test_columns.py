"""Column names against the header of the user's tables."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars
import pytest

from mmtrain.config.columns import check_columns

TASKS = {"price": {"_target_": "mmtrain.task.Regression", "column": "price"}}


def config(folder: Path, file: str, **data: Any) -> dict[str, Any]:
    words = {"_target_": "mmtrain.modality.TextModality", "column": ["name", "né à"]}
    facts = {"_target_": "mmtrain.modality.TabularModality", "numeric": ["size (cm)"], "categorical": None}
    node = {
        "_target_": "mmtrain.source.TableSource",
        "train": file,
        "root": str(folder),
        "id": "id",
        "encoding": "utf-8",
        "separator": None,
    }
    return {"data": {**node, "modalities": {"words": words, "facts": facts}, **data}, "tasks": TASKS}


def lines(tree: dict[str, Any]) -> list[str]:
    return [str(problem) for problem in check_columns(tree, ())]


HEADER = ["id", "name", "né à", "size (cm)", "price"]


def write(path: Path, names: list[str]) -> None:
    match path.suffix:
        case ".parquet":
            polars.DataFrame({name: ["1"] for name in names}).write_parquet(path)
        case ".jsonl":  # what is null may be left out of a row
            path.write_text("\n".join(json.dumps({name: 1}, ensure_ascii=False) for name in names), encoding="utf-8")
        case suffix:
            separator = "\t" if suffix == ".tsv" else ","
            path.write_text(separator.join(f'"{name}"' for name in names) + "\n1,2\n", encoding="utf-8")


@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl", "parquet"])
def test_the_header_of_every_format(tmp_path: Path, suffix: str) -> None:
    write(tmp_path / f"t.{suffix}", HEADER)
    assert lines(config(tmp_path, f"t.{suffix}")) == []
    write(tmp_path / f"t.{suffix}", [name.replace("price", "prize") for name in HEADER])
    [line] = lines(config(tmp_path, f"t.{suffix}"))
    assert line.startswith(f"tasks.price.column: t.{suffix} has no column 'price'; did you mean 'prize'? allowed: ")


@pytest.mark.parametrize("column", ["id", "name", "né à", "size (cm)"])
def test_every_option_that_names_a_column(tmp_path: Path, column: str) -> None:
    write(tmp_path / "t.csv", [name for name in HEADER if name != column])
    [line] = lines(config(tmp_path, "t.csv"))
    where = {"id": "data.id", "size (cm)": "data.modalities.facts.numeric"}.get(column, "data.modalities.words.column")
    assert line.startswith(f"{where}: t.csv has no column '{column}'")


@pytest.mark.parametrize(
    ("written", "options"),
    [
        ("\ufeffid,name,né à,size (cm),price\n".encode(), {}),
        ("id;name;né à;size (cm);price\n".encode("cp1252"), {"encoding": "cp1252", "separator": ";"}),
        ("id,name,né à,size (cm),price\n".encode("utf-16"), {"encoding": "utf-16"}),
        ('\n\r\nid,name,"né à",size (cm),price\r\n'.encode(), {}),
        ("id,name,ne\u0301 a\u0300,size (cm),price\n".encode(), {}),
    ],
    ids=["byte-order mark", "cp1252", "utf-16", "blank lines", "decomposed accents"],
)
def test_ways_to_write_a_header(tmp_path: Path, written: bytes, options: dict[str, Any]) -> None:
    (tmp_path / "t.csv").write_bytes(written)
    assert lines(config(tmp_path, "t.csv", **options)) == []


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    for suffix in ("csv", "parquet"):
        [line] = lines(config(tmp_path, f"gone.{suffix}"))
        assert line == f"data.train: no file '{tmp_path / f'gone.{suffix}'}'; is data.root right?"


@pytest.mark.parametrize(
    ("file", "content", "options", "found"),
    [
        ("t.csv", b"\xff\xfe\xfa", {}, "'utf-8' codec can't decode byte 0xff"),
        ("t.csv", b"id", {"encoding": "utf-88"}, "unknown encoding: utf-88"),
        ("t.csv", b"id", {"separator": ";;"}, '"delimiter" must be a 1-character string'),
        ("t.jsonl", b"{broken", {}, "Expecting property name"),
        ("t.parquet", b"no parquet file at all", {}, "parquet"),
    ],
)
def test_a_file_that_cannot_be_read(tmp_path: Path, file: str, content: bytes, options: dict[str, Any], found: str) -> None:
    (tmp_path / file).write_bytes(content)
    [line] = lines(config(tmp_path, file, **options))
    assert line.startswith(f"data.train: '{tmp_path / file}' cannot be read: ")
    assert found in line


@pytest.mark.parametrize(
    ("file", "found"),
    [
        ("t.xlsx", "the suffix '.xlsx' is not known; allowed: .csv, .tsv, .tab, .txt, .jsonl, .ndjson, .parquet, .pq"),
        ("t.CSV.gz", "the suffix '.gz' is not known; allowed: .csv, .tsv, .tab, .txt, .jsonl, .ndjson, .parquet, .pq"),
        ("t.txt", "what separates the cells of a .txt file is not known; set data.separator"),
    ],
)
def test_a_suffix_that_does_not_say_how_to_read(tmp_path: Path, file: str, found: str) -> None:
    write(tmp_path / "t.csv", HEADER)
    (tmp_path / file).write_bytes(b"PK\x03\x04\xff")
    assert lines(config(tmp_path, "t.csv", val=file)) == [f"data.val: {found}"]


def test_the_check_does_not_wait_for_polars(tmp_path: Path) -> None:
    code = "import sys, mmtrain.config.columns; print({'polars', 'torch', 'numpy'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True).stdout == "set()\n"


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    [line] = lines(config(tmp_path, "."))
    assert "cannot be read" in line
    assert "Is a directory" in line


def test_other_splits_need_the_inputs_but_no_labels(tmp_path: Path) -> None:
    write(tmp_path / "t.csv", HEADER)
    write(tmp_path / "v.csv", ["id", "name", "né à"])
    assert [line.partition("; ")[0] for line in lines(config(tmp_path, "t.csv", val="v.csv", test="gone.csv"))] == [
        "data.modalities.facts.numeric: v.csv has no column 'size (cm)'",
        f"data.test: no file '{tmp_path / 'gone.csv'}'",
    ]


def test_of_several_files_one_may_lack_what_another_has(tmp_path: Path) -> None:
    """Together they hold every column; each names its rows, and has something to learn from and something to learn."""
    write(tmp_path / "a.csv", ["id", "name", "price"])
    write(tmp_path / "b.csv", ["id", "né à", "size (cm)", "stars"])
    write(tmp_path / "c.csv", ["id", "size (cm)", "prize"])
    write(tmp_path / "d.csv", ["iid", "price"])
    tree = config(tmp_path, "a.csv", train=["a.csv", "b.csv"], val=["a.csv", "b.csv"])
    tree["tasks"] = TASKS | {"stars": {"_target_": "mmtrain.task.Regression", "column": "stars"}}
    assert lines(tree) == []
    tree["data"]["train"] = ["a.csv", "c.csv", "d.csv"]
    assert [line.partition("; did")[0] for line in lines(tree)] == [
        "data.id: d.csv has no column 'id'",
        "data.train: c.csv has none of the columns of tasks; check its header, or leave it out",
        "data.train: d.csv has none of the columns of data.modalities; check its header, or leave it out",
        "data.modalities.words.column: a.csv + c.csv + d.csv has no column 'né à'; allowed: id, iid, name, price, prize, size (cm)",
        "tasks.stars.column: a.csv + c.csv + d.csv has no column 'stars'; allowed: id, iid, name, price, prize, size (cm)",
    ]


def test_of_several_files_one_that_is_not_there(tmp_path: Path) -> None:
    write(tmp_path / "t.csv", HEADER)
    found = lines(config(tmp_path, "t.csv", train=["t.csv", "gone.csv", "away.csv"]))
    assert found == [f"data.train: no file '{tmp_path / name}'; is data.root right?" for name in ("gone.csv", "away.csv")]


def test_an_input_may_not_be_a_target(tmp_path: Path) -> None:
    write(tmp_path / "t.csv", HEADER)
    tree = config(tmp_path, "t.csv")
    tree["data"]["modalities"]["facts"]["numeric"].append("price")
    assert lines(tree) == [
        "tasks.price.column: column 'price' is an input too (data.modalities.facts.numeric); a task may not read its own answer"
    ]


def test_a_root_that_could_not_be_read_has_been_told(tmp_path: Path) -> None:
    tree = config(tmp_path, "gone.csv")
    del tree["data"]["root"]
    assert lines(tree) == []


def test_a_users_own_source_is_not_second_guessed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_source.py").write_text("class Rows:\n    def __init__(self, *, train: str): ...\n")
    monkeypatch.syspath_prepend(tmp_path)
    tree = config(tmp_path, "gone.csv") | {"trust": ["my_source"]}
    tree["data"]["_target_"] = "my_source.Rows"
    assert check_columns(tree, ["my_source"]) == []
