"""`mmtrain predict`: raw rows in, the user's own labels and units out, from the run folder alone."""

import csv
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

import mmtrain
from mmtrain.cli import main
from mmtrain.data import open_rows
from mmtrain.source import Format, Scenes, read_table

SHAPES = {"circle": "007", "square": "NA", "triangle": "True", "cross": 'a "b", ü'}
MATCHES = {"yes": "1", "no": "0"}
CONFIG = """\
# @package _global_
# Scenes as files, with labels that look like something else.
defaults:
  - /source@data: table
  - /modality@data.modalities.picture: image
  - /modality@data.modalities.caption: text
  - /modality@data.modalities.tone: audio
  - /task@tasks.shape: classification
  - /task@tasks.match: binary
  - /task@tasks.position: regression
  - _self_
data:
  name: files
  root: {root}
  train: rows.csv
  val_fraction: 0.25
  id: name
  modalities:
    picture: {{column: the picture, height: 16, width: 16}}
    caption: {{column: caption, min_count: 1}}
    tone: {{column: tone, sample_rate: 8000}}
tasks:
  shape: {{column: shape}}
  match: {{column: match}}
  position: {{column: position}}
"""


def write(folder: Path, scenes: pl.DataFrame) -> pl.DataFrame:
    """Scenes as `rows.csv` with a file a cell, positions in thousandths of a pixel; the table's cells as text."""
    for kind, suffix in (("picture", "png"), ("tone", "wav")):
        (folder / kind).mkdir(parents=True)
        for row, content in enumerate(scenes[kind]):
            (folder / kind / f"{row}.{suffix}").write_bytes(content)
    rows = range(len(scenes))
    table = pl.DataFrame(
        {
            "name": scenes["id"],
            "the picture": [f"picture/{row}.png" for row in rows],
            "tone": [f"tone/{row}.wav" for row in rows],
            "caption": scenes["caption"],
            "shape": [SHAPES[label] for label in scenes["shape"]],
            "match": [MATCHES[label] for label in scenes["match"]],
            "position": [f"{1000 * number:.1f}" for number in scenes["position"]],
        }
    )
    table.write_csv(folder / "rows.csv")
    return table


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A run whose training data are gone, and a folder with other rows (nine) and their files."""
    folder = tmp_path_factory.mktemp("files")
    splits = Scenes(train=48, val=9, test=1).tables()
    write(folder / "data", splits.tables["train"].frame)
    write(folder / "new", splits.tables["val"].frame)
    (folder / "configs" / "data").mkdir(parents=True)
    (folder / "configs" / "data" / "files.yaml").write_text(CONFIG.format(root=folder / "data"))
    quick = ["training.steps=2", "training.batch_size=16", "training.evaluation_batch_size=4", "training.threads=1", "tracker=none"]
    words = ["data=files", f"--config-dir={folder / 'configs'}", *quick, f"data.cache={folder / 'cache'}"]
    assert main(["train", *words, f"hydra.run.dir={folder / 'run'}"]) == 0
    for place in ("data", "configs", "cache"):
        shutil.rmtree(folder / place)
    return folder / "run", folder / "new"


@pytest.fixture
def new(files: tuple[Path, Path], tmp_path: Path) -> Path:
    """The folder of other rows, for a test to change."""
    return shutil.copytree(files[1], tmp_path / "new")


def predict(run: Path, table: Path, *flags: str, output: str = "out.csv") -> pl.DataFrame:
    place = table.parent / output
    assert main(["predict", str(run), str(table), "--output", str(place), *flags]) == 0
    if output.endswith(".parquet"):
        return pl.read_parquet(place)
    with place.open(newline="", encoding="utf-8") as file:  # polars leaves the doubled quotes in a header as they are
        return pl.DataFrame(list(csv.DictReader(file)))


def numbers(frame: pl.DataFrame) -> list[list[float]]:
    """The columns that hold numbers."""
    names = [name for name in frame.columns if name == "position" or "." in name]
    return [[float(cell) for cell in frame[name]] for name in names]


def changed(new: Path, **columns: list[Any]) -> Path:
    """The table with other cells in some columns."""
    file = new / "changed.csv"
    pl.read_csv(new / "rows.csv", infer_schema=False).with_columns(
        **{name: pl.Series(cells, dtype=pl.String) for name, cells in columns.items()}
    ).write_csv(file)
    return file


def test_the_columns_of_a_csv(files: tuple[Path, Path], new: Path) -> None:
    found = predict(files[0], new / "rows.csv")
    shapes = ["007", "NA", "True", 'a "b", ü']
    assert found.columns == [
        "name",
        *("shape", "shape.confidence", *(f"shape.p.{label}" for label in shapes)),
        *("match", "match.confidence", "match.p.0", "match.p.1"),
        "position",
    ]
    assert found["name"].to_list() == [f"val-{row:05d}" for row in range(9)]
    for task, labels in (("shape", shapes), ("match", ["0", "1"])):
        for row in found.iter_rows(named=True):
            probabilities = [float(row[f"{task}.p.{label}"]) for label in labels]
            assert sum(probabilities) == pytest.approx(1)
            assert float(row[f"{task}.confidence"]) == max(probabilities)
            assert row[task] == labels[probabilities.index(max(probabilities))]
    assert all(4_000 < float(cell) < 28_000 for cell in found["position"])


def test_parquet_keeps_types(files: tuple[Path, Path], new: Path) -> None:
    text, typed = predict(files[0], new / "rows.csv"), predict(files[0], new / "rows.csv", output="out.parquet")
    assert typed.columns == text.columns
    assert typed["shape"].dtype == typed["match"].dtype == pl.String
    assert typed["position"].dtype == typed["shape.p.007"].dtype == pl.Float64
    assert typed["shape"].to_list() == text["shape"].to_list()
    assert numbers(typed) == numbers(text)


def test_python_gives_the_same(files: tuple[Path, Path], new: Path) -> None:
    trained = mmtrain.load(files[0])
    table = read_table(new / "rows.csv", Format())
    assert trained.predict(table).equals(predict(files[0], new / "rows.csv", output="out.parquet").drop("name"))


def test_labels_may_be_there_or_not(files: tuple[Path, Path], new: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With labels, metrics are printed; they change no prediction."""
    full = predict(files[0], new / "rows.csv")
    trained = mmtrain.load(files[0])
    dataset = open_rows(read_table(new / "rows.csv", Format()), trained.settings, dict(trained.modalities), dict(trained.tasks))
    scores = trained.score(dataset, trained.answers(dataset))
    out = capsys.readouterr().out
    assert f"{scores['position']['mae']:,.1f}" in out
    assert f"{scores['shape']['accuracy']:.3f}" in out
    pl.read_csv(new / "rows.csv", infer_schema=False).drop("shape", "match", "position").write_csv(new / "bare.csv")
    assert predict(files[0], new / "bare.csv").equals(full)
    out = capsys.readouterr().out
    assert out == f"9 rows written to {new / 'out.csv'}\n"
    predict(files[0], changed(new, shape=["NA", *[None] * 8], match=[None] * 9))
    assert "accuracy" in capsys.readouterr().out


def test_an_empty_cell_changes_only_its_row(files: tuple[Path, Path], new: Path) -> None:
    """One row lacks its picture, one its caption, one everything; the others are answered as before."""
    full = predict(files[0], new / "rows.csv")
    cells = {name: pl.read_csv(new / "rows.csv", infer_schema=False)[name].to_list() for name in ("the picture", "caption", "tone")}
    for name, rows in (("the picture", (2, 6)), ("caption", (4, 6)), ("tone", (6,))):
        cells[name] = [None if row in rows else cell for row, cell in enumerate(cells[name])]
    found = predict(files[0], changed(new, **cells))
    for now, before in zip(numbers(found), numbers(full), strict=True):
        same = [row for row in range(9) if now[row] == pytest.approx(before[row], rel=1e-4)]
        assert same == [0, 1, 3, 5, 7, 8]


def test_a_row_without_any_modality_gets_the_constant_answer(files: tuple[Path, Path], new: Path) -> None:
    nothing = [None] * 9
    found = predict(files[0], changed(new, **{"the picture": nothing, "caption": nothing, "tone": nothing}))
    priors = {name: task.answer(task.prior()[None]) for name, task in mmtrain.load(files[0]).tasks.items()}
    for row in found.iter_rows(named=True):
        assert [float(row[f"shape.p.{label}"]) for label in sorted(SHAPES.values())] == pytest.approx(priors["shape"][0].tolist())
        assert float(row["match.p.1"]) == pytest.approx(priors["match"][0, 1])
        assert float(row["position"]) == pytest.approx(priors["position"][0])


def test_a_column_that_is_not_there(files: tuple[Path, Path], new: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As if all its cells were empty, with a note."""
    empty = predict(files[0], changed(new, **{"the picture": [None] * 9}))
    capsys.readouterr()
    pl.read_csv(new / "rows.csv", infer_schema=False).drop("the picture").write_csv(new / "bare.csv")
    assert predict(files[0], new / "bare.csv").equals(empty)
    assert f"note: data.modalities.picture: {new / 'bare.csv'} has no column 'the picture'; it counts as absent" in capsys.readouterr().out


def test_rows_come_in_the_order_of_the_file(files: tuple[Path, Path], new: Path) -> None:
    full = predict(files[0], new / "rows.csv")
    pl.read_csv(new / "rows.csv", infer_schema=False).reverse().write_csv(new / "reversed.csv")
    found = predict(files[0], new / "reversed.csv").reverse()
    assert found["name"].to_list() == full["name"].to_list()
    for now, before in zip(numbers(found), numbers(full), strict=True):
        assert now == pytest.approx(before, rel=1e-4)


def test_without_ids_rows_are_numbered(files: tuple[Path, Path], new: Path) -> None:
    pl.read_csv(new / "rows.csv", infer_schema=False).drop("name").write_csv(new / "bare.csv")
    found = predict(files[0], new / "bare.csv")
    assert found.columns[0] == "row"
    assert found["row"].to_list() == [str(row) for row in range(1, 10)]


def test_paths_start_at_the_table_or_at_the_root(files: tuple[Path, Path], new: Path, tmp_path: Path) -> None:
    full = predict(files[0], new / "rows.csv")
    (tmp_path / "elsewhere").mkdir()
    shutil.move(new / "rows.csv", tmp_path / "elsewhere" / "rows.csv")
    assert predict(files[0], tmp_path / "elsewhere" / "rows.csv", "--root", str(new)).equals(full)


def test_from_another_folder_by_relative_paths(files: tuple[Path, Path], new: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    predict(files[0], new / "rows.csv")
    monkeypatch.chdir(files[0].parent)
    shutil.copytree(new, "here", dirs_exist_ok=True)
    assert main(["predict", "run", "here/rows.csv", "--output", "here/relative.csv"]) == 0
    assert Path("here/relative.csv").read_text() == (new / "out.csv").read_text()


def test_encoded_files_in_a_parquet(files: tuple[Path, Path], new: Path, tmp_path: Path) -> None:
    """Cells that hold the picture itself give what paths give."""
    frame = Scenes(train=48, val=9, test=1).tables().tables["val"].frame
    frame.select(pl.col("id").alias("name"), pl.col("picture").alias("the picture"), "caption", "tone").write_parquet(
        tmp_path / "rows.parquet"
    )
    assert predict(files[0], tmp_path / "rows.parquet").equals(predict(files[0], new / "rows.csv"))


def test_a_polars_table_is_predicted_as_its_file_is(files: tuple[Path, Path], new: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(new)  # where the paths in its cells start
    trained = mmtrain.load(files[0])
    assert trained.predict(pl.read_csv("rows.csv", infer_schema=False)).equals(trained.predict("rows.csv"))


def test_a_table_of_the_run_is_not_written_over(files: tuple[Path, Path], new: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = files[0] / "config.yaml"
    root = Path(yaml.safe_load(config.read_text(encoding="utf-8"))["data"]["root"])
    root.mkdir()
    try:
        (root / "rows.csv").write_text("mine", encoding="utf-8")
        capsys.readouterr()
        assert main(["predict", str(files[0]), str(new / "rows.csv"), "--output", str(root / "rows.csv")]) == 2
        assert "is a table that the run was given; name another file" in capsys.readouterr().err
        assert (root / "rows.csv").read_text(encoding="utf-8") == "mine"
    finally:
        shutil.rmtree(root)
