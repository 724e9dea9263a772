"""From a table of words and tags to tags for new rows, whatever pieces the words are read in."""

import json
import random
from pathlib import Path

import polars as pl
import pytest

import mmtrain
from mmtrain.cli import main

PLACES, DAYS, OTHERS = ["Rome", "Lima", "Oslo"], ["Monday", "Friday"], ["a", "trip", "to", "on", "we", "went"]


def rows(count: int) -> pl.DataFrame:
    """The tag of a word is told by the word, so that a table is learned in no time."""
    found = []
    for row in range(count):
        words = [random.choice(random.choice([PLACES, DAYS, OTHERS])) for _ in range(random.randint(1, 6))]
        tags = ["B-place" if word in PLACES else "B-day" if word in DAYS else "O" for word in words]
        cells = {"id": f"r{row}", "words": " ".join(words), "tags": " ".join(tags), "noise": random.random()}
        found.append(cells | {"days": str(any(word in DAYS for word in words))})
    return pl.DataFrame(found)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    random.seed(0)
    folder = tmp_path_factory.mktemp("tagged")
    for split, count in (("train", 128), ("val", 32), ("test", 32)):
        rows(count).write_csv(folder / f"{split}.csv")
    (folder / "data").mkdir()
    (folder / "data" / "trips.yaml").write_text(
        f"""# @package _global_
defaults:
  - /source@data: table
  - /modality@data.modalities.words: text
  - /task@tasks.tags: tagging
  - /task@tasks.days: binary
  - _self_
data:
  name: trips
  root: {folder}
  train: train.csv
  val: val.csv
  test: test.csv
  id: id
  modalities:
    words: {{column: words, split: blanks}}
tasks:
  tags: {{column: tags, modality: words}}
  days: {{column: days}}
"""
    )
    return folder


def train(data: Path, run: Path, *overrides: str) -> int:
    shared = ["data=trips", "training.threads=1", "training.batch_size=16", "optimizer.lr=1e-2", "encoder/text=bag", f"hydra.run.dir={run}"]
    return main(["train", "--config-dir", str(data), *shared, *overrides])


@pytest.mark.parametrize("vocabulary", ["word", "bpe"])
def test_words_are_tagged_once_whatever_they_are_read_in(vocabulary: str, data: Path, tmp_path: Path) -> None:
    modality = [f"data.modalities.words.vocabulary={vocabulary}", "data.modalities.words.max_words=20", "augmentation/text=standard"]
    assert train(data, tmp_path / "run", "training.epochs=10", *modality) == 0
    trained = mmtrain.load(tmp_path / "run")
    table = pl.read_csv(data / "test.csv")
    found = trained.predict(data / "test.csv")
    assert [len(tags.split()) for tags in found["tags"]] == [len(words.split()) for words in table["words"]]
    assert sum(found["tags"] == table["tags"]) > 0.9 * len(table)
    assert found["tags.confidence"].is_between(0, 1).all()


@pytest.mark.parametrize("balancing", [["balancing=mgda"], ["balancing=upgrad", "balancing.level=parameters"], ["balancing=uncertainty"]])
def test_tags_are_balanced_with_labels_of_whole_rows(balancing: list[str], data: Path, tmp_path: Path) -> None:
    assert train(data, tmp_path / "run", "training.epochs=8", *balancing) == 0
    tasks = json.loads((tmp_path / "run" / "results.json").read_text())["test"]["tasks"]
    assert tasks["tags"]["accuracy"] > 0.75
    assert tasks["days"]["accuracy"] > 0.75


def test_a_row_has_as_many_tags_as_words(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = pl.read_csv(data / "train.csv").with_columns(tags=pl.when(pl.col("id") == "r2").then(pl.lit("O")).otherwise("tags"))
    broken.write_csv(data / "broken.csv")
    count = len(broken["words"][2].split())
    assert count > 1
    assert train(data, tmp_path / "run", "data.train=broken.csv") == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == f"error: broken.csv, row 3, column 'tags': 1 labels for the {count} words of 'words'"
    assert lines[1].startswith(
        "error: tasks.tags: rows with more or fewer labels than words: 1, the first are named above; one label a word"
    )
    assert train(data, tmp_path / "other", "data.train=broken.csv", "data.on_bad=absent", "training.epochs=1") == 0
    assert "rows with more or fewer labels than words, which count as unlabelled: 1" in capsys.readouterr().out


def test_words_beyond_the_longest_row_are_not_missed(data: Path, tmp_path: Path) -> None:
    assert train(data, tmp_path / "run", "data.modalities.words.max_length=3", "training.epochs=1") == 0


def test_a_task_names_a_modality_that_it_can_read(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train(data, tmp_path / "run", "tasks.tags.modality=word") == 2
    assert "tasks.tags.modality: there is no modality 'word'; did you mean 'words'?" in capsys.readouterr().err
    scenes = ["task@tasks.tags=tagging", "tasks.tags.column=shape", "tasks.tags.modality=picture"]
    assert main(["check", *(f"+{override}" if "@" in override else override for override in scenes)]) == 2
    assert "tasks.tags.modality: 'picture' is of kind image, and the task reads text" in capsys.readouterr().err


FACTS = ["+modality@data.modalities.facts=tabular", "data.modalities.facts.numeric=[noise]"]
PAIRS = ["+task@tasks.pairs=retrieval", "tasks.pairs.modalities=[words,facts]"]


@pytest.mark.parametrize("method", ["pmr", "ogm_ge", "agm", "blend"])
def test_balance_between_modalities_goes_by_tasks_of_whole_rows(method: str, data: Path, tmp_path: Path) -> None:
    overrides = [f"modality_balance={method}", "training.epochs=2", "decision=stack", "missing=learned", "missing.dropout=0.5"]
    assert train(data, tmp_path / "run", *FACTS, *PAIRS, *overrides) == 0
