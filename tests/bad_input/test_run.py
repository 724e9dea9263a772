"""Run folders that are none or are damaged, and tables that cannot be predicted."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from mmtrain import checkpoint

Refused = Callable[[Sequence[str]], list[str]]


@pytest.fixture
def damaged(run: Path, tmp_path: Path) -> Path:
    """A finished run that a test may spoil."""
    return shutil.copytree(run, tmp_path / "damaged")


def commands(run: Path, folder: Path) -> list[list[str]]:
    """Every command that reads a run folder."""
    table = folder / "new.csv"
    table.write_text("caption\na red box\n")
    return [
        ["evaluate", str(run)],
        ["predict", str(run), str(table), "--output", str(folder / "out.csv")],
        ["train", "--from", str(run), f"hydra.run.dir={folder / 'again'}"],
        ["train", "--resume", str(run)],
    ]


def test_a_folder_that_is_not_there(refused: Refused, tmp_path: Path) -> None:
    for words in commands(tmp_path / "nowhere", tmp_path):
        assert refused(words) == [f"{tmp_path / 'nowhere'}: no such folder; name a run folder, as `mmtrain train` prints it"]


def test_a_folder_that_is_no_run(refused: Refused, tmp_path: Path) -> None:
    for words in commands(tmp_path, tmp_path):
        assert refused(words) == [f"{tmp_path}: not a run folder: it holds no config.yaml; name a folder that `mmtrain train` made"]


@pytest.mark.parametrize("content", [b"{a: ", b"", b"just words", bytes(range(256))])
def test_a_damaged_configuration(refused: Refused, damaged: Path, tmp_path: Path, content: bytes) -> None:
    (damaged / "config.yaml").write_bytes(content)
    for words in commands(damaged, tmp_path):
        assert refused(words) == [f"{damaged / 'config.yaml'}: cannot be read; the run folder is damaged; train again"]


def test_a_configuration_with_a_strange_key(refused: Refused, damaged: Path, tmp_path: Path) -> None:
    file = damaged / "config.yaml"
    file.write_text(file.read_text().replace("fusion:", "fuson:"))
    for words in commands(damaged, tmp_path):
        assert [line.split(";")[0] for line in refused(words)] == ["fuson: unknown key", "fusion: has to be chosen"]


def test_a_configuration_that_names_any_code(refused: Refused, damaged: Path, tmp_path: Path) -> None:
    file = damaged / "config.yaml"
    file.write_text(file.read_text().replace("mmtrain.fusion.Concat", "os.system").replace("trust: []", "trust: [os]"))
    for words in commands(damaged, tmp_path):
        [line] = refused(words)
        assert line.startswith("fusion._target_: 'os.system' is neither mmtrain's nor in a module that you trust; ")


@pytest.mark.parametrize("content", [b"words" * 100, b"", b"\x08\0\0\0\0\0\0\0{}      "])
def test_a_damaged_checkpoint(refused: Refused, damaged: Path, tmp_path: Path, content: bytes) -> None:
    (damaged / "checkpoints" / "best" / checkpoint.FILE).write_bytes(content)
    for words in commands(damaged, tmp_path)[:2]:
        [line] = refused(words)
        assert line.startswith(f"{damaged / 'checkpoints' / 'best' / checkpoint.FILE}: not a checkpoint of mmtrain (")


def test_no_checkpoint(refused: Refused, damaged: Path, tmp_path: Path) -> None:
    (damaged / "checkpoints" / "best" / checkpoint.FILE).unlink()
    for words in commands(damaged, tmp_path)[:2]:
        [line] = refused(words)
        assert line.endswith("no such checkpoint; train until the end of the first epoch, or name another run")


def test_files_of_two_runs(refused: Refused, damaged: Path, tmp_path: Path) -> None:
    """The configuration asks for a narrower model than the checkpoint has."""
    file = damaged / "config.yaml"
    file.write_text(file.read_text().replace("out_dim: 128", "out_dim: 64").replace("epochs: 2", "epochs: 3"))
    evaluating, predicting, _, resuming = commands(damaged, tmp_path)
    for words, files in (
        (evaluating, "config.yaml, preprocessing.json and the checkpoint"),
        (predicting, "config.yaml, preprocessing.json and the checkpoint"),
        (resuming, "config.yaml and the checkpoint"),
    ):
        [line] = refused(words)
        assert line.startswith(f"{damaged}: {files} do not fit together; the run folder was changed by hand; ")


@pytest.mark.parametrize("content", ["{", "{}", "[]"])
def test_damaged_preprocessing(refused: Refused, damaged: Path, tmp_path: Path, content: str) -> None:
    (damaged / "preprocessing.json").write_text(content)
    for words in commands(damaged, tmp_path)[:2]:
        [line] = refused(words)
        assert line.startswith(str(damaged))
        assert line.endswith("train again")


def test_a_folder_that_holds_a_run(refused: Refused, run: Path, tiny: list[str], tmp_path: Path) -> None:
    line = f"{run}: already holds a run; choose another hydra.run.dir, or go on with --resume"
    assert refused(["train", *tiny, f"hydra.run.dir={run}"]) == [line]
    assert refused(["train", "--from", str(run), f"hydra.run.dir={run}"]) == [line]


def test_a_run_folder_that_cannot_be_made(refused: Refused, tiny: list[str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "file" / "run"):
        [line] = refused(["train", *tiny, f"hydra.run.dir={place}"])
        assert line.startswith(f"{place}: cannot be made: ")


def test_a_split_that_the_data_do_not_have(refused: Refused, run: Path) -> None:
    assert refused(["evaluate", str(run), "--split", "dev"]) == ["--split: 'dev' is not a choice; allowed: test, train, val"]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("x,y\n1,2\n", "data.modalities.picture: {file} has no column 'picture'; allowed: x, y"),
        ("Caption\na box\n", "data.modalities.caption: {file} has no column 'caption'; did you mean 'Caption'? allowed: Caption"),
        ("", "{file}: is empty; give a file with a header and rows"),
        ("caption\n", "{file}: holds no rows; give a file with at least one row below the header"),
        ("caption,picture\na box,13.png\n", "{file}, row 1, column 'picture': '13.png' does not exist (looked for "),
        ("caption,position\na box,left\n", "{file}, row 1, column 'position': found 'left', which is no number"),
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_predicted(refused: Refused, run: Path, tmp_path: Path, content: str, line: str) -> None:
    file = tmp_path / "new.csv"
    file.write_text(content)
    lines = refused(["predict", str(run), str(file), "--output", str(tmp_path / "out.csv")])
    assert any(found.startswith(line.format(file=file)) for found in lines)


@pytest.mark.parametrize(
    ("file", "output", "line"),
    [
        ("new.csv", "out.xlsx", "--output: '{output}' has no known suffix; allowed: .csv, .tsv, .parquet"),
        ("new.csv", "no/out.csv", "--output: there is no folder '{output.parent}'; make it first"),
        ("new.csv", "new.csv", "--output: '{output}' is the table that is to be predicted; name another file"),
        ("nowhere.csv", "out.csv", "{file}: no such file; name a table of rows to predict"),
    ],
)  # fmt: skip
def test_files_that_predict_refuses(refused: Refused, run: Path, tmp_path: Path, file: str, output: str, line: str) -> None:
    (tmp_path / "new.csv").write_text("caption\na red box\n")
    places = {"file": tmp_path / file, "output": tmp_path / output}
    assert refused(["predict", str(run), str(places["file"]), "--output", str(places["output"])]) == [line.format(**places)]
