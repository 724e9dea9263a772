"""What is shown of a run: units, dashes for what is undefined, and the user's own words as they are."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from rich.console import Console, RenderableType

from mmtrain.loss import Absolute, CrossEntropy
from mmtrain.table import Table
from mmtrain.task import Classification, Regression, Task
from mmtrain.training.display import Display, classes_table, metrics_table, summary
from mmtrain.training.meter import Scores

SHAPE: dict[str, Any] = {"loss": 0.5, "rows": 9, "accuracy": 0.75, "f1_macro": 0.7, "constant": 0.25, "skill": 0.667}
POSITION: dict[str, Any] = {"loss": 0.1, "rows": 8, "mae": 2.0, "rmse": 1234.5, "r2": None, "constant": 4.0, "skill": 0.5}
SCORES = Scores(1.6, 0.583, {"shape": SHAPE, "position": POSITION})


@pytest.fixture
def tasks() -> dict[str, Task]:
    table = Table(pl.DataFrame({"shape": ["square", "circle"], "position": ["8", "24"]}), "rows.csv", np.arange(1, 3))
    tasks: dict[str, Task] = {
        "shape": Classification("shape", column="shape", loss=CrossEntropy),
        "position": Regression("position", column="position", loss=Absolute, unit="pixels"),
    }
    for task in tasks.values():
        task.fit(table)
    return tasks


def shown(content: RenderableType) -> list[list[str]]:
    """The cells of each line that holds any."""
    file = io.StringIO()
    Console(file=file, width=120).print(content)
    lines = file.getvalue().replace("┃", "│").splitlines()
    return [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines if "│" in line]


def test_summary(tasks: dict[str, Task]) -> None:
    assert shown(summary(SCORES, tasks, "test")) == [
        ["task", "metric", "test", "constant", "skill", "rows"],
        ["shape", "accuracy", "0.750", "0.250", "0.667", "9"],
        ["position", "mae [pixels]", "2.000", "4.000", "0.500", "8"],
        ["mean", "", "", "", "0.583", ""],
    ]


def test_one_task_has_no_mean(tasks: dict[str, Task]) -> None:
    del tasks["shape"]
    assert [line[0] for line in shown(summary(SCORES, tasks, "test"))] == ["task", "position"]


def test_metrics_table(tasks: dict[str, Task]) -> None:
    assert shown(metrics_table(SCORES.tasks, tasks, "rows[1].csv")) == [
        ["task", "metric", "rows[1].csv", "constant", "skill", "rows"],
        ["shape", "accuracy", "0.750", "0.250", "0.667", "9"],
        ["", "f1_macro", "0.700", "", "", ""],
        ["position", "mae [pixels]", "2.000", "4.000", "0.500", "8"],
        ["", "rmse [pixels]", "1,234.5", "", "", ""],
        ["", "r2", "-", "", "", ""],
    ]


def test_classes_table() -> None:
    """The most frequent first; labels as the user wrote them, however long, and no figure cut."""
    label = "[red] :cat: " + 60 * "x"
    scores: dict[str, dict[str, Any]] = {
        "rare": {"precision": None, "recall": 0.5, "f1": 2 / 3, "rows": 2},
        label: {"precision": 1.0, "recall": 1.0, "f1": 1.0, "rows": 1234},
    }
    assert shown(classes_table("shape", scores)) == [
        ["shape", "rows", "precision", "recall", "f1"],
        [label, "1,234", "1.000", "1.000", "1.000"],
        ["rare", "2", "-", "0.500", "0.667"],
    ]
    file = io.StringIO()
    Console(file=file, width=50).print(classes_table("shape", scores))
    assert all(text in file.getvalue() for text in ("1,234", "precision", "0.667"))
    assert "".join(line.split("│")[1].strip() for line in file.getvalue().splitlines() if "│" in line).startswith("[red]:cat:xxx")
    assert file.getvalue().count("x") == 60


def test_live_table(tasks: dict[str, Task], tmp_path: Path) -> None:
    with Display(tasks, tmp_path / "train.log") as display:
        display.console.width = 100
        before = shown(display)
        display.end_epoch(1, 2, SCORES, SCORES, better=True)
        after = shown(display)
        display.console.width = 80
        narrow = shown(display)
    assert narrow[2] == ["position", "mae [pixels]", "2.000", "0.500", "0.500"]
    assert before[2] == ["position", "mae [pixels]", "-", "-", "-", "-", "-", "-"]
    assert after[2] == ["position", "mae [pixels]", "-", "0.100", "0.100", "2.000", "0.500", "0.500"]


def test_what_is_said_is_not_styled(tasks: dict[str, Task], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A column may be called `[red]`, and a file `:cat:`."""
    note = "note: column '[red]' of :cat: is empty"
    with Display(tasks, tmp_path / "train.log") as display:
        display.say(note)
    assert capsys.readouterr().out == (tmp_path / "train.log").read_text() == note + "\n"
