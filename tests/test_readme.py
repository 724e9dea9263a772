"""The README keeps its word: every command in it works, its example is as short as it says, its map shows what is there."""

import os
import re
import runpy
import shlex
import shutil
from pathlib import Path

import pytest
from PIL import Image

from mmtrain.cli import main

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SET_UP = {"make train", "make test"}
QUICK = ["training.steps=2", "data.limit=64"]
LONGER = ["training.epochs=3"]  # a finished run of two epochs goes on only where more is asked for


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


LINES = [line for block in blocks("sh") for line in block.replace("\\\n", " ").splitlines() if line and not line.startswith("#")]
COMMANDS = [line for line in LINES if line not in SET_UP]
[PRODUCTS] = blocks("yaml")


def added(words: list[str]) -> list[str]:
    """What makes a command short."""
    if "--resume" in words:
        return LONGER
    return QUICK if words[0] in ("train", "check", "prepare", "bench") else []


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mmtrain.bench.ROUNDS", 2)
    monkeypatch.setattr("mmtrain.bench.STEPS", 2)


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, run: Path) -> None:
    """A working folder with all that the README's reader has by then: a run, new rows, and a table with a YAML of their own."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(run, "RUN")
    Path("FILE").with_suffix(".csv").write_text("caption\na red circle\n\na small blue square\n", encoding="utf-8")
    Path("my/data").mkdir(parents=True)
    Path("my/data/products.yaml").write_text(PRODUCTS, encoding="utf-8")
    rows = ["photo,title,description,weight,brand,category,price"]
    for row in range(24):
        Image.new("RGB", (8, 8), (10 * row, 100, 100)).save(f"{row}.png")
        rows.append(f"{row}.png,cup number {row},a cup,{row / 10},brand {row % 3},{'cup' if row % 2 else 'plate'},{row + 0.5}")
    Path("products.csv").write_text("\n".join(rows), encoding="utf-8")


@pytest.mark.usefixtures("quick", "folder")
@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_works(line: str) -> None:
    if "avdigits" in line and "MMTRAIN_DATA" not in os.environ:
        pytest.skip("MMTRAIN_DATA names no folder of real data")
    program, *words = ["FILE.csv" if word == "FILE" else word for word in shlex.split(line, comments=True)]
    assert program == "mmtrain"
    assert main([*words, *added(words)]) == 0


def test_the_commands_that_set_up_are_run_in_a_fresh_clone() -> None:
    assert set(LINES) >= SET_UP
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    loop = re.search(r'^for target in (.+); do$(?:.*\n)*?\s+make "\$target"$', script, re.MULTILINE)
    assert loop is not None
    assert {f"make {target}" for target in loop[1].split()} == SET_UP


@pytest.mark.usefixtures("folder")
def test_the_python_example_works() -> None:
    [example] = blocks("python")
    assert "outputs/scenes/RUN" in example
    Path("example.py").write_text(example.replace("outputs/scenes/RUN", "RUN").replace("rows.csv", "FILE.csv"), encoding="utf-8")
    predictions = runpy.run_path("example.py")["predictions"]
    assert len(predictions) == 3
    assert {"shape", "colour", "position", "pitch", "match", "match.p.yes"} <= set(predictions.columns)


def test_a_users_own_data_take_at_most_25_lines() -> None:
    assert len(PRODUCTS.splitlines()) <= 25


def test_the_map_shows_what_is_there() -> None:
    section = README.partition("## Where things are\n")[2].partition("\n## ")[0]
    folder, shown = ROOT, []
    for indent, names in re.findall(r"^(    |      )(\S+(?: \S+)*)  ", section, re.MULTILINE):
        if indent == "    ":
            folder = ROOT / names
        shown += [folder] if indent == "    " else [folder / name for name in names.split()]
    assert len(shown) > 10
    assert [str(place) for place in shown if not place.is_dir() and not place.with_suffix(".py").is_file()] == []
