"""Every format gives the same table, and every unreadable file one line."""

import unicodedata
from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from mmtrain.errors import DataError
from mmtrain.source import Format, read_table, row_ids

FRAME = pl.DataFrame({"id": ["007", "True"], "words": ["naïve, café", None], "size": ["1.5", "x"]})


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_csv_tsv_json_lines_and_parquet_hold_the_same_cells(tmp_path: Path) -> None:
    FRAME.write_csv(tmp_path / "rows.csv")
    FRAME.write_csv(tmp_path / "rows.tsv", separator="\t")
    FRAME.write_ndjson(tmp_path / "rows.jsonl")
    FRAME.write_parquet(tmp_path / "rows.parquet")
    for path in tmp_path.iterdir():
        table = read_table(path, Format())
        assert table.frame.equals(FRAME), path.name
        assert (table.file, table.root, table.numbers.tolist()) == (str(path), tmp_path, [1, 2])


def test_parquet_and_json_lines_keep_their_types_and_nan_is_missing(tmp_path: Path) -> None:
    pl.DataFrame({"n": [1.5, float("nan")], "flag": [True, None]}).write_parquet(tmp_path / "rows.parquet")
    assert read_table(tmp_path / "rows.parquet", Format()).frame.rows() == [(1.5, True), (None, None)]
    path = written(tmp_path, "rows.jsonl", '{"a": 1, "b": "x"}\n{"a": 2}\n')
    assert read_table(path, Format()).frame.rows() == [(1, "x"), (2, None)]


def test_a_key_that_only_late_json_lines_have_is_a_column(tmp_path: Path) -> None:
    path = written(tmp_path, "rows.jsonl", '{"a": 1}\n' * 500 + '{"a": 1, "late": "x"}\n')
    assert read_table(path, Format()).frame["late"].to_list() == [None] * 500 + ["x"]


def test_missing_values_are_cells_of_any_format(tmp_path: Path) -> None:
    path = written(tmp_path, "rows.csv", 'a,b\n?,-1\nNA,""\nx ?,?\n')
    assert read_table(path, Format(["?", "-1"])).frame.rows() == [(None, None), ("NA", None), ("x ?", None)]
    pl.DataFrame({"a": [-1, 2], "b": ["?", ""]}).write_parquet(tmp_path / "rows.parquet")
    assert read_table(tmp_path / "rows.parquet", Format(["?", "-1"])).frame.rows() == [(None, None), (2, None)]


def test_a_missing_value_is_that_of_whole_floats_too(tmp_path: Path) -> None:
    pl.DataFrame({"a": [-999.0, -999.5, 1e300], "b": [7.0, 70.0, -0.0]}).write_parquet(tmp_path / "rows.parquet")
    for missing in (["-999", "7", "0"], ["-999.0", "7.0", "0.0"]):
        assert read_table(tmp_path / "rows.parquet", Format(missing)).frame.rows() == [(None, None), (-999.5, 70.0), (1e300, None)]
    pl.DataFrame({"a": pl.Series(["1.50", "2.00"], dtype=pl.Decimal(5, 2))}).write_parquet(tmp_path / "rows.parquet")
    assert read_table(tmp_path / "rows.parquet", Format(["2.00"])).frame["a"].is_null().to_list() == [False, True]


def test_types_that_only_parquet_has_become_plain_ones(tmp_path: Path) -> None:
    pair = [["a", "b"], None, ["c", ""]]
    frame = pl.DataFrame(
        {
            "category": pl.Series(["?", "1", ""], dtype=pl.Categorical),
            "enum": pl.Series(["1.5", None, "?"], dtype=pl.Enum(["?", "1.5"])),
            "pair": pl.Series(pair, dtype=pl.Array(pl.String, 2)),
            "list": pl.Series(pair, dtype=pl.List(pl.Categorical)),
            "took": pl.Series([timedelta(minutes=1), None, timedelta(milliseconds=-1500)]),
        }
    )
    frame.write_parquet(tmp_path / "rows.parquet")
    table = read_table(tmp_path / "rows.parquet", Format(["?"]))
    assert table.frame.dtypes == [pl.String, pl.String, pl.List(pl.String), pl.List(pl.String), pl.Float64]
    assert table.text("category") == [None, "1", None]
    np.testing.assert_array_equal(table.floats("enum"), [1.5, np.nan, np.nan])
    assert table.frame["pair"].to_list() == table.frame["list"].to_list() == pair
    np.testing.assert_array_equal(table.floats("took"), [60, np.nan, -1.5])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    path = written(tmp_path, "rows.csv", "größe,b\nnaïve,2\n".encode(encoding))
    table = read_table(path, Format(encoding="utf-8" if encoding == "utf-8-sig" else encoding))
    assert table.frame.columns == ["größe", "b"]
    assert table.text("größe") == ["naïve"]


def test_json_lines_may_start_with_a_byte_order_mark(tmp_path: Path) -> None:
    path = written(tmp_path, "rows.jsonl", '\ufeff{"a": "é"}\n')
    assert read_table(path, Format()).frame.rows() == [("é",)]


def test_names_and_text_come_out_composed(tmp_path: Path) -> None:
    apart = unicodedata.normalize("NFD", "é")
    path = written(tmp_path, "rows.csv", f"caf{apart},b\n{apart},2\n")
    table = read_table(path, Format())
    assert table.frame.columns == ["café", "b"]
    assert table.text("café") == ["é"]


def test_a_decimal_comma_is_read_where_numbers_are_wanted_and_kept_elsewhere(tmp_path: Path) -> None:
    path = written(tmp_path, "rows.csv", 'a;b\n1,5;"x, y"\n-3;1,2\n1.500;\n')
    table = read_table(path, Format(separator=";", decimal=","), file="rows.csv")
    np.testing.assert_array_equal(table.floats("a"), [1.5, -3, np.nan])
    assert table.text("b") == ["x, y", "1,2", None]
    assert [str(problem) for problem in table.bad] == ["rows.csv, row 3, column 'a': found '1.500', which is no number"]


def test_a_text_file_needs_a_separator(tmp_path: Path) -> None:
    path = written(tmp_path, "rows.txt", "a|b\n1|2\n")
    assert read_table(path, Format(separator="|")).frame.rows() == [("1", "2")]
    with pytest.raises(DataError, match=r"what separates the cells of a \.txt file is not known; set data\.separator"):
        read_table(path, Format())


def test_a_missing_file_names_the_nearest(tmp_path: Path) -> None:
    written(tmp_path, "training.csv", "a\n1\n")
    with pytest.raises(DataError, match=r"trainin\.csv: there is no such file in '.*'; did you mean 'training\.csv'\?"):
        read_table(tmp_path / "trainin.csv", Format(), file="trainin.csv")
    with pytest.raises(DataError, match=r"training: there is no such file in '.*'; did you mean 'training\.csv'\?"):
        read_table(tmp_path / "training", Format(), file="training")
    with pytest.raises(DataError, match=r"there is no folder '.*nowhere'; check data\.root"):
        read_table(tmp_path / "nowhere" / "train.csv", Format(), file="train.csv")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").mkdir()
    with pytest.raises(DataError, match=r"rows\.csv: cannot be read: Is a directory"):
        read_table(tmp_path / "rows.csv", Format())


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("rows.csv", b"", "is empty"),
        ("rows.csv", b"a,b\n", "holds no rows"),
        ("rows.csv", b"a,b\n1,caf\xe9\n", r"line 2 is not utf-8 \(byte 0xe9\); set data.encoding"),
        ("rows.jsonl", b'{"a": 1}\n{"a": ', "cannot be parsed"),
        ("rows.jsonl", b"", "is empty"),
        ("rows.parquet", b"not parquet at all", "cannot be parsed"),
        ("rows.xlsx", b"PK\x03\x04\xff", r"the suffix '\.xlsx' is not known; allowed: \.csv, \.tsv"),
    ],
)
def test_an_unusable_file_gets_one_line(tmp_path: Path, name: str, content: bytes, found: str) -> None:
    with pytest.raises(DataError, match=f"{name}: {found}") as error:
        read_table(written(tmp_path, name, content), Format(), file=name)
    assert "\n" not in str(error.value)


def test_ids_are_the_users_own_or_row_numbers(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, "rows.csv", "id,a\n007,1\nTrue,2\n"), Format())
    assert row_ids(table, "id") == ["007", "True"]
    assert row_ids(table, None) == ["1", "2"]


def test_a_duplicate_id_names_both_rows_and_a_missing_one_its_row(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, "rows.csv", "id,a\nx,1\ny,2\nx,3\n,4\nz,5\nz,6\nz,7\nz,8\n"), Format(), file="rows.csv")
    with pytest.raises(DataError) as error:
        row_ids(table, "id")
    assert [f"{problem.where}: {problem.found}" for problem in error.value.problems] == [
        "rows.csv, column 'id': no id in row 4",
        "rows.csv, column 'id': id 'x' stands in rows 1 and 3",
        "rows.csv, column 'id': id 'z' stands in rows 5 and 6 and 2 more",
    ]
    with pytest.raises(DataError, match=r"data\.id: rows\.csv has no column 'ids'; did you mean 'id'\? allowed: a, id"):
        row_ids(table, "ids")
