"""How files are written: found out, not asked for."""

from pathlib import Path

import polars as pl
import pytest

from mmtrain.errors import DataError
from mmtrain.guess import read

TEXT = "größe,preis\n1.5,a\n2.5,b\n"


@pytest.mark.parametrize(
    ("name", "content", "written"),
    [
        ("a.csv", TEXT.encode(), ("utf-8", None, ".")),
        ("a.csv", b"\xef\xbb\xbf" + TEXT.encode(), ("utf-8", None, ".")),
        ("a.csv", TEXT.encode("cp1252"), ("cp1252", None, ".")),
        ("a.csv", TEXT.encode("utf-16"), ("utf-16", None, ".")),
        ("a.csv", TEXT.replace(",", ";").encode(), ("utf-8", ";", ".")),
        ("a.csv", TEXT.replace(",", ";").replace(".", ",").encode(), ("utf-8", ";", ",")),
        ("a.csv", TEXT.replace(",", "\t").encode(), ("utf-8", "\t", ".")),
        ("a.tsv", TEXT.replace(",", "\t").encode(), ("utf-8", None, ".")),
        ("a.tsv", TEXT.replace(",", "\t").replace(".", ",").encode(), ("utf-8", None, ",")),
        ("a.tsv", TEXT.replace(",", "\t").replace(".5", ",234").encode(), ("utf-8", None, ".")),  # thousands, perhaps
        ("a.tsv", TEXT.replace(",", "\t").replace("1.5", "0,234").replace("2.5", "1,234").encode(), ("utf-8", None, ",")),
        ("a.csv", TEXT.replace(",", ";").replace(".5", ",234").encode(), ("utf-8", ";", ",")),
        ("a.txt", TEXT.replace(",", "|").encode(), ("utf-8", "|", ".")),
        ("a.csv", "größe\n1\n".encode(), ("utf-8", None, ".")),
        ("a.csv", 'größe,"a;b;c"\n1,2\n'.encode(), ("utf-8", None, ".")),
    ],
)
def test_text(tmp_path: Path, name: str, content: bytes, written: tuple[str, str | None, str]) -> None:
    (tmp_path / name).write_bytes(content)
    table, form = read(tmp_path / name)
    assert (form.encoding, form.separator, form.decimal) == written
    assert table.frame.columns[0] == "größe"
    assert table.decimal == form.decimal


def test_typed_files(tmp_path: Path) -> None:
    frame = pl.DataFrame({"a": [1, 2], "b": ["x,1", "y"]})
    frame.write_parquet(tmp_path / "a.parquet")
    frame.write_ndjson(tmp_path / "a.jsonl")
    for name in ("a.parquet", "a.jsonl"):
        assert read(tmp_path / name)[0].frame.equals(frame)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"", "is empty; give a file with a header and rows"),
        ("a.csv", b"a,b\n", "holds no rows"),
        ("a.csv", b"a,a\n1,2\n", "two columns are called 'a'"),
        ("a.csv", b"a,b\n1,2,3\n", "3 cells where the header has 2"),
        ("a.xlsx", b"PK", "the suffix '.xlsx' is not known; allowed: .csv, "),
        ("a.parquet", b"PAR", "cannot be parsed"),
        ("a.csv", b"\x81\x00a\xff\n\x9d", "is not cp1252"),
    ],
)
def test_what_is_no_table(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError) as error:
        read(tmp_path / name)
    assert message in str(error.value)


def test_files_that_are_not_there(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("a\n1\n")
    with pytest.raises(DataError, match=r"rosw\.csv: there is no such file; did you mean '.*rows\.csv'\?$"):
        read(tmp_path / "rosw.csv")
    with pytest.raises(DataError, match=r"nowhere/x\.csv: there is no such file; name a table of rows$"):
        read(tmp_path / "nowhere" / "x.csv")
    with pytest.raises(
        DataError, match=r": is a folder; name a table in it; for pictures in a folder a class: mmtrain train data=folder data\.root="
    ):
        read(tmp_path)
