"""`mmtrain evaluate RUN --subsets`, against tables whose cells are empty."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from mmtrain.cli import main
from mmtrain.evaluate import evaluate
from mmtrain.folder import RunFolder
from mmtrain.subsets import subsets, thinned

CONFIG = """\
# @package _global_
# Numbers and words.
defaults:
  - /source@data: table
  - /modality@data.modalities.words: text
  - /modality@data.modalities.facts: tabular
  - /task@tasks.kind: classification
  - /task@tasks.size: regression
  - _self_
data:
  name: mine
  root: {root}
  train: train.csv
  val: val.csv
  test: test.csv
  modalities:
    words: {{column: words, min_count: 1}}
    facts: {{numeric: [first, second]}}
tasks:
  kind: {{column: kind}}
  size: {{column: size, unit: cm}}
"""


OF_TIES = ("spearman", "auroc", "ece")  # rows of the same few words are answered alike, but for rounding: metrics of ranks and bins jump
NUMBERS = ((0, "first"), (1, "second"))


def table(rows: int, seed: int) -> pl.DataFrame:
    """A kind that the words tell, a size that the numbers tell; in some rows one of them is missing, in one both are."""
    generator = np.random.default_rng(seed)
    kinds, numbers = generator.integers(3, size=rows), generator.normal(size=(rows, 2)).round(3)
    words = [None if row % 7 == 0 else f"the {'abc'[kind]} thing {row % 5}" for row, kind in enumerate(kinds)]
    there = [row % 5 != 0 for row in range(rows)]
    columns = {
        f"{name}": [f"{pair[place]}" if here else None for pair, here in zip(numbers, there, strict=True)] for place, name in NUMBERS
    }
    sizes = [f"{10 * first + kind:.3f}" for (first, _), kind in zip(numbers, kinds, strict=True)]
    return pl.DataFrame({"words": words, **columns, "kind": [f"kind {kind}" for kind in kinds], "size": sizes})


@pytest.fixture(scope="module", params=["mask", "learned", "drop"])
def mine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the tables and, in `run`, a run on them."""
    folder = tmp_path_factory.mktemp("mine")
    (folder / "data").mkdir()
    (folder / "data" / "mine.yaml").write_text(CONFIG.format(root=folder))
    for seed, (split, rows) in enumerate({"train": 120, "val": 40, "test": 71}.items()):
        table(rows, seed).write_csv(folder / f"{split}.csv")
    words = ["data=mine", f"--config-dir={folder}", f"missing={request.param}", "training.epochs=4", "training.batch_size=16"]
    quick = ["training.threads=1", "tracker=none", "optimizer.lr=0.003", "training.evaluation_batch_size=32"]
    assert main(["train", *words, *quick, f"hydra.run.dir={folder / 'run'}"]) == 0
    return folder


@pytest.fixture(scope="module")
def found(mine: Path) -> dict[str, Any]:
    return subsets(mine / "run")


def without_loss(tasks: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {name: {key: value for key, value in found.items() if key != "loss"} for name, found in tasks.items()}


def assert_scored_alike(one: dict[str, Any], mine: Path, frame: pl.DataFrame) -> None:
    """As the run scores a table that is written so."""
    frame.write_csv(mine / "other.csv")
    expected = evaluate(mine / "run", overrides=["data.test=other.csv"])
    assert one["skill"] == pytest.approx(expected.skill, abs=1e-6)
    for task, numbers in expected.tasks.items():
        assert one["tasks"][task].keys() == numbers.keys() - {"loss"}
        for key in numbers.keys() - {"loss", *OF_TIES}:
            assert one["tasks"][task][key] == pytest.approx(numbers[key], rel=1e-5, abs=1e-6), (task, key)


def test_a_subset_scores_as_a_table_whose_other_columns_are_empty(mine: Path, found: dict[str, Any]) -> None:
    whole, words, facts = _by_modalities(found)
    test = table(71, 2)
    nothing = pl.lit(None, pl.String)
    assert_scored_alike(words, mine, test.with_columns(nothing.alias("first"), nothing.alias("second")))
    assert_scored_alike(facts, mine, test.with_columns(nothing.alias("words")))
    assert_scored_alike(whole, mine, test)
    assert (whole["any"], words["any"], facts["any"]) == (71 - 3, 71 - 11, 71 - 15)  # rows 0, 35 and 70 have nothing
    assert (whole["whole"], words["whole"], facts["whole"]) == (71 - 11 - 15 + 3, 71 - 11, 71 - 15)


def test_the_full_set_scores_as_ever(mine: Path) -> None:
    whole, plain = subsets(mine / "run")["subsets"][0], evaluate(mine / "run")
    assert (whole["skill"], whole["tasks"]) == (plain.skill, without_loss(plain.tasks))


def _by_modalities(content: dict[str, Any]) -> list[dict[str, Any]]:
    found = {tuple(one["modalities"]): one for one in content["subsets"]}
    assert list(found) == [("facts", "words"), ("facts",), ("words",)]
    return [found[key] for key in (("facts", "words"), ("words",), ("facts",))]


def test_rows_that_are_not_whole_get_the_constant_answer_where_only_whole_rows_are_answered(
    mine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = subsets(mine / "run")
    drop = "missing=drop answers whole rows alone" in capsys.readouterr().out
    assert drop == ("Drop" in (mine / "run" / "config.yaml").read_text())
    _, *single = _by_modalities(content)
    zero = [one["skill"] == pytest.approx(0, abs=1e-6) for one in single]
    assert zero == ([True, True] if drop else [False, False])


def test_a_share_scores_as_a_table_with_those_cells_empty(mine: Path, found: dict[str, Any]) -> None:
    """Which cells go is read from `thinned`; what the model makes of them comes from another table."""
    test = table(71, 2)
    present = {"words": test["words"].is_not_null().to_numpy(), "facts": test["first"].is_not_null().to_numpy()}
    cut = thinned(present)[0.4]
    kept = {name: pl.Series(cut[name].numpy()) for name in present}
    places = {"words": "words", "first": "facts", "second": "facts"}
    thin = test.with_columns(pl.when(kept[name]).then(pl.col(column)).alias(column) for column, name in places.items())
    [thinner] = [one for one in found["shares"] if one["share"] == 0.4]
    assert_scored_alike(thinner, mine, thin)
    left = {name: there & cut[name].numpy() for name, there in present.items()}
    assert thinner["any"] == (left["words"] | left["facts"]).sum()
    assert thinner["whole"] == (left["words"] & left["facts"]).sum()
    first = found["shares"][0]
    assert {key: first[key] for key in ("skill", "tasks")} == {key: found["subsets"][0][key] for key in ("skill", "tasks")}
    assert [one["share"] for one in found["shares"]] == [step / 10 for step in range(10)]


def test_what_is_written(mine: Path) -> None:
    assert main(["evaluate", str(mine / "run"), "--subsets", "--split", "val"]) == 0
    found = json.loads((mine / "run" / "subsets.json").read_text())
    assert set(found) == {"split", "rows", "overrides", "modalities", "metrics", "units", "possible", "subsets", "shares"}
    assert (found["split"], found["rows"], found["possible"], found["overrides"]) == ("val", 40, 3, [])
    assert (found["metrics"], found["units"]) == ({"kind": "accuracy", "size": "mae"}, {"size": "cm"})
    assert all(set(one) == {"modalities", "any", "whole", "skill", "tasks"} for one in found["subsets"])
    assert all(set(one) == {"share", "any", "whole", "skill", "tasks"} for one in found["shares"])
    page = (mine / "run" / "subsets.html").read_text()
    for one in [*found["subsets"], *found["shares"]]:
        assert f'<td class="number">{one["skill"]:.3f}</td>' in page
    assert page.count("<svg") == 1
    assert "size mae [cm]" in page
    assert list((mine / "run").glob("*.part")) == []


def test_other_rows_are_named(mine: Path) -> None:
    table(20, 5).write_csv(mine / "moved.csv")
    assert main(["evaluate", str(mine / "run"), "--subsets", "data.test=moved.csv"]) == 0
    found = json.loads((mine / "run" / "subsets.json").read_text())
    assert (found["rows"], found["overrides"]) == (20, ["data.test=moved.csv"])


@pytest.mark.parametrize("width", [200, 80, 60])
def test_what_is_printed(run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    """Every figure of every subset and share, whole, however narrow the terminal."""
    monkeypatch.setenv("COLUMNS", str(width))
    content = subsets(run)
    out = capsys.readouterr().out
    lines = out.splitlines()
    assert max(len(line) for line in lines if line[0] in "┏┃│└") <= width
    assert "test, 96 rows: all 7 subsets of the modalities" in lines
    figures: dict[str, list[str]] = {}
    for line in lines:
        name, *cells = (cell.strip() for cell in line.strip("│").split("│"))
        if line[0] == "│" and any(cells):
            figures.setdefault(name, []).extend(cells)
    for one in content["subsets"][4:]:  # names of several modalities may go on in the next line
        assert figures[one["modalities"][0]] == _cells(content, one)
    for one in content["shares"]:
        assert figures[f"{one['share']:.0%}"] == _cells(content, one)


def _cells(content: dict[str, Any], one: dict[str, Any]) -> list[str]:
    metrics = [one["tasks"][task][metric] for task, metric in content["metrics"].items()]
    return [str(one["any"]), str(one["whole"]), *(f"{number:.3f}" for number in (one["skill"], *metrics))]


def test_val_says_what_the_best_epoch_said(run: Path) -> None:
    """What each modality brings, from the figures of the subsets."""
    best = RunFolder(run).results()["best_epoch"]
    [line] = [line for line in RunFolder(run).read_metrics() if (line["split"], line["epoch"]) == ("val", best)]
    skills = {tuple(one["modalities"]): one["skill"] for one in subsets(run, "val")["subsets"]}
    names = ("caption", "picture", "tone")
    for name, one in line["modalities"].items():
        others = tuple(other for other in names if other != name)
        assert (one["alone"], one["without"]) == pytest.approx((skills[name,], skills[others]), abs=1e-6)
        assert one["contribution"] == pytest.approx((skills[name,] + skills[names] - skills[others]) / 2, abs=1e-6)


def test_one_modality_is_refused(tiny: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "run"
    words = ["~data.modalities.tone", "~data.modalities.caption", "training.steps=1", "tracker=none"]
    assert main(["train", *tiny, *words, f"hydra.run.dir={place}"]) == 0
    assert main(["evaluate", str(place), "--subsets"]) == 2
    assert "--subsets: the run has one modality, 'picture'; there is nothing to take away" in capsys.readouterr().err
    assert not list(place.glob("subsets.*"))


def test_a_folder_that_cannot_be_written_to(run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*places: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.replace", refuse)
    assert main(["evaluate", str(run), "--subsets"]) == 2
    captured = capsys.readouterr()
    assert re.search("cannot be written to: Permission denied", captured.err)
    assert "all 7 subsets" in captured.out  # what took the time is not lost
    assert list(run.glob("*.part")) == []
