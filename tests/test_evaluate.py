"""`mmtrain evaluate` says again what the run said."""

from pathlib import Path
from typing import Any

import pytest

from mmtrain.cli import main
from mmtrain.evaluate import evaluate
from mmtrain.folder import RunFolder


def without(found: dict[str, Any], *names: str) -> dict[str, Any]:
    return {task: {name: value for name, value in numbers.items() if name not in names} for task, numbers in found.items()}


def test_test_is_as_in_the_results(run: Path) -> None:
    results = RunFolder(run).results()
    scores = evaluate(run, per_class=True)
    found = scores.tasks
    assert scores.skill == results["test"]["skill"]
    assert without(found, "constant", "loss") == without(results["test"]["tasks"], "classes")
    expected = {task: numbers["classes"] for task, numbers in results["test"]["tasks"].items() if "classes" in numbers}
    assert scores.classes == expected
    assert {task: numbers["constant"] for task, numbers in found.items()} == {
        task: constant for task, numbers in results["baseline"].items() for constant in numbers.values()
    }


def test_validation_is_as_in_the_best_epoch(run: Path) -> None:
    best = RunFolder(run).results()["best_epoch"]
    [line] = [line for line in RunFolder(run).read_metrics() if (line["split"], line["epoch"]) == ("val", best)]
    assert without(evaluate(run, "val").tasks, "constant", "rows") == without(line["tasks"], "weight", "best")


def test_half_precision_too(tiny: list[str], tmp_path: Path) -> None:
    place = tmp_path / "run"
    assert main(["train", *tiny, "data.limit=32", "training.epochs=1", "training.precision=bf16", f"hydra.run.dir={place}"]) == 0
    expected = without(RunFolder(place).results()["test"]["tasks"], "classes")
    assert without(evaluate(place).tasks, "constant", "loss") == expected


def test_what_is_printed(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every metric of every task; the primary one with the constant answer, skill and rows."""
    assert main(["evaluate", str(run), "--split", "train"]) == 0
    table = [[cell.strip() for cell in line.strip("│").split("│")] for line in capsys.readouterr().out.splitlines() if line[0] == "│"]
    found = evaluate(run, "train").tasks
    assert [row[0] for row in table if row[0]] == list(found)
    task = ""
    for row in table:
        task = row[0] or task
        metric = row[1].split(" [")[0]
        assert row[2] == f"{found[task][metric]:.3f}"
        primary = [f"{found[task]['constant']:.3f}", f"{found[task]['skill']:.3f}", str(found[task]["rows"])]
        assert row[3:] == (primary if row[0] else ["", "", ""])


@pytest.mark.parametrize("width", [200, 60, 50])
def test_every_label_is_printed_where_asked(
    run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    """A table a task of classes, the most frequent label first; no figure is cut on a narrow terminal."""
    monkeypatch.setenv("COLUMNS", str(width))
    assert main(["evaluate", str(run), "--per-class"]) == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= width
    rows = [[cell.strip() for cell in line.strip("│").split("│")] for line in out.splitlines() if line[0] == "│"]
    rows = [row for row in rows if len(row) == 5]  # the metrics have six columns
    expected = []
    for classes in evaluate(run, per_class=True).classes.values():
        for label, found in sorted(classes.items(), key=lambda item: -item[1]["rows"]):
            figures = ["-" if found[name] is None else f"{found[name]:.3f}" for name in ("precision", "recall", "f1")]
            expected.append([label, str(found["rows"]), *figures])
    assert rows == expected


def test_labels_are_printed_only_where_asked(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(run)]) == 0
    assert "recall" not in capsys.readouterr().out


def test_a_run_is_not_changed(run: Path) -> None:
    before = {file: file.stat().st_mtime_ns for file in run.rglob("*")}
    evaluate(run)
    assert {file: file.stat().st_mtime_ns for file in run.rglob("*")} == before


def test_rows_dealt_out_anew_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Else rows of train would pass for rows of test."""
    table, place = tmp_path / "rows.csv", tmp_path / "run"
    rows = [f"{number % 7},{number % 2}" for number in range(60)]
    table.write_text("\n".join(["number,label", *rows]))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mine.yaml").write_text(
        "# @package _global_\n# Sixty rows.\ndefaults:\n  - /source@data: table\n  - /modality@data.modalities.facts: tabular\n"
        "  - /task@tasks.label: binary\n  - _self_\ndata:\n  name: rows\n  val_fraction: 0.2\n  test_fraction: 0.2\n"
        f"  train: {table}\n  modalities:\n    facts: {{numeric: [number]}}\ntasks:\n  label: {{column: label}}\n"
    )
    words = ["--config-dir", str(tmp_path), "data=mine", "training.steps=2", f"hydra.run.dir={place}"]
    assert main(["train", *words]) == 0
    assert main(["evaluate", str(place)]) == 0
    table.write_text("\n".join(["number,label", *rows, "1,1", "2,0", "3,1"]))
    assert main(["evaluate", str(place)]) == 2
    assert "the rows of 'test' are not those of the run: the table has changed" in capsys.readouterr().err
