"""One table a task, joined by a sampler: from files to predictions."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from mmtrain import checkpoint
from mmtrain import train as training
from mmtrain.cli import main
from mmtrain.config import Run
from mmtrain.data import Data

DATA = """# @package _global_
# Moods, and prices.
defaults:
  - /source@data: table
  - /modality@data.modalities.facts: tabular
  - /modality@data.modalities.words: text
  - /task@tasks.mood: classification
  - /task@tasks.price: regression
  - _self_
data:
  name: two
  train: [moods.csv, prices.csv]
  val: [moods_val.csv, prices_val.csv]
  modalities:
    facts: {numeric: [first, second]}
    words: {column: words}
tasks:
  mood: {column: mood}
  price: {column: price}
"""
MOODS, PRICES = 96, 32


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The mood hangs on the first number; the price on the second, and its table alone has words."""
    root = tmp_path_factory.mktemp("two")
    random = np.random.default_rng(0)
    for split, fewer in (("", 1), ("_val", 2)):
        first, second = random.normal(size=(2, MOODS // fewer)).round(3)
        moods = pl.DataFrame({"first": first, "second": second, "mood": np.where(first > 0, "glad", "sad")})
        moods.write_csv(root / f"moods{split}.csv")
        first, second = random.normal(size=(2, PRICES // fewer)).round(3)
        words = random.choice(["red", "green"], len(first))
        pl.DataFrame({"words": words, "second": second, "first": first, "price": 10 * second}).write_csv(root / f"prices{split}.csv")
    (root / "data").mkdir()
    (root / "data" / "two.yaml").write_text(DATA)
    return root


def words_of(folder: Path, *more: str) -> list[str]:
    where = [f"--config-dir={folder}", "data=two", f"data.root={folder}", f"data.cache={folder / 'cache'}"]
    quick = ["training.batch_size=16", "training.threads=1", "tracker=none", "optimizer.lr=0.005", "scheduler=constant"]
    return [*where, *quick, *more]


@pytest.fixture(scope="module")
def run(folder: Path) -> Path:
    path = folder / "run"
    assert main(["train", *words_of(folder, "sampler=equal", "training.epochs=12"), f"hydra.run.dir={path}"]) == 0
    return path


def test_both_tasks_are_learned(run: Path) -> None:
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    best = max((line for line in lines if line["split"] == "val"), key=lambda line: line["skill"])
    assert {task: found["skill"] > 0.4 for task, found in best["tasks"].items()} == {"mood": True, "price": True}


def test_the_log_says_what_an_epoch_is(run: Path) -> None:
    """128 rows, half of them for each task."""
    said = "an epoch is 128 rows; with a label of mood 64 (each 0.67 times), price 64 (each 2 times)"
    assert said in (run / "train.log").read_text().splitlines()


def test_the_rows_of_a_split_go_by_file_and_number(run: Path) -> None:
    splits = json.loads((run / "splits.json").read_text())
    assert (splits["train"][0], splits["train"][-1], len(splits["train"])) == ("moods.csv:1", "prices.csv:32", MOODS + PRICES)
    assert (splits["val"][0], splits["val"][-1]) == ("moods_val.csv:1", "prices_val.csv:16")


def test_evaluate_scores_each_task_on_its_own_rows(run: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(run), "--split", "val"]) == 0
    shown = [line.split("│") for line in capsys.readouterr().out.splitlines()]
    assert {cells[1].strip(): cells[-2].strip() for cells in shown if len(cells) > 2 and cells[-2].strip().isdigit()} == {
        "mood": str(MOODS // 2),
        "price": str(PRICES // 2),
    }
    other = f"data.val=[{folder / 'moods_val.csv'}]"
    assert main(["evaluate", str(run), "--split", "val", other]) == 2  # no row has words
    assert "has no column 'words'" in capsys.readouterr().err
    assert main(["evaluate", str(run), "--split", "val", "data.val=[prices_val.csv]"]) == 0
    assert "mood" in capsys.readouterr().out


@pytest.mark.parametrize("file", ["moods.csv", "prices.csv"])
def test_predict_reads_either_table(run: Path, folder: Path, file: str, tmp_path: Path) -> None:
    assert main(["predict", str(run), str(folder / file), "--output", str(tmp_path / "out.csv")]) == 0
    found = pl.read_csv(tmp_path / "out.csv")
    assert len(found) == len(pl.read_csv(folder / file))
    assert {"mood", "price"} <= set(found.columns)
    before = (folder / file).read_bytes()
    assert main(["predict", str(run), str(folder / "moods_val.csv"), "--output", str(folder / file)]) == 2
    assert (folder / file).read_bytes() == before


def weights_of(run: Path) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = checkpoint.load(run / "checkpoints" / "last")["model"]
    return found


def assert_same_weights(one: Path, other: Path) -> None:
    found, expected = weights_of(one), weights_of(other)
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_a_resumed_run_ends_as_one_that_never_stopped(run: Path, folder: Path) -> None:
    part = folder / "part"
    assert main(["train", *words_of(folder, "sampler=equal", "training.epochs=5"), f"hydra.run.dir={part}"]) == 0
    assert main(["train", "--resume", str(part), "training.epochs=12"]) == 0
    assert_same_weights(part, run)


def test_files_are_named_in_full_where_there_is_no_root(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a run can go on, and be evaluated, from another folder."""
    monkeypatch.chdir(folder)
    run = folder / "rootless"
    words = [word for word in words_of(folder, "training.epochs=1") if not word.startswith("data.root")]
    assert main(["train", *words, f"hydra.run.dir={run}"]) == 0
    monkeypatch.chdir(folder.parent)
    assert main(["train", "--resume", str(run), "training.epochs=2"]) == 0
    assert main(["evaluate", str(run), "--split", "val"]) == 0


def test_what_stands_beside_a_missing_label_changes_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every split's targets in rows of the other table: the same weights, to the bit."""
    words = words_of(folder, "sampler=temperature", "training.epochs=2")
    clean, dirty = folder / "clean", folder / "dirty"
    assert main(["train", *words, f"hydra.run.dir={clean}"]) == 0
    prepared: Callable[..., Data] = training.prepare_data

    def garbled(config: Run, *known: Any) -> Data:
        data = prepared(config, *known)
        splits = {}
        for split, dataset in data.splits.items():
            content = {"mood": 1, "price": np.nan}
            encoded = {
                task: replace(target, values=np.where(target.labelled, target.values, np.array(content[task], target.values.dtype)))
                for task, target in dataset.encoded.items()
            }
            assert not all(np.array_equal(encoded[task].values, target.values) for task, target in dataset.encoded.items())
            splits[split] = replace(dataset, encoded=encoded)
        return replace(data, splits=splits)

    monkeypatch.setattr(training, "prepare_data", garbled)
    assert main(["train", *words, f"hydra.run.dir={dirty}"]) == 0
    assert_same_weights(dirty, clean)


def test_check_says_what_an_epoch_is(folder: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    words = words_of(folder, "sampler=ratio", "sampler.ratio={mood:1,price:3}")
    assert main(["check", *words, "--output", str(tmp_path / "page.html")]) == 0
    assert "an epoch is 128 rows; with a label of mood 32 (each 0.33 times), price 96 (each 3 times)" in capsys.readouterr().out


def test_a_misspelt_column_of_one_table(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", *words_of(folder, "tasks.price.column=prize")]) == 2
    assert capsys.readouterr().err.splitlines() == [
        "error: data.train: prices.csv has none of the columns of tasks; check its header, or leave it out",
        "error: tasks.price.column: moods.csv + prices.csv has no column 'prize'; did you mean 'price'? "
        "allowed: first, mood, price, second, words",
    ]
