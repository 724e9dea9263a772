import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from numpy.testing import assert_array_equal

from mmtrain.assembly import data_parts
from mmtrain.batch import Fused, Tokens
from mmtrain.cli import main
from mmtrain.config import load
from mmtrain.data import prepare
from mmtrain.errors import ConfigError
from mmtrain.metric import PAIR_METRICS
from mmtrain.spec import TaskSpec
from mmtrain.table import Table
from mmtrain.task import Retrieval, Task
from mmtrain.trained import load as load_trained

Maker = Callable[..., Table]
ADD = ["+task@tasks.pairs=retrieval", "tasks.pairs.modalities=[picture,caption]"]
SMALL = ["data.train=96", "data.val=24", "data.test=24", "training.threads=1", "tracker=none"]


def fitted(table: Maker, **options: Any) -> Retrieval:
    task = Retrieval("pairs", modalities=["picture", "words"], dim=3, **options)
    task.fit(table(["a", None, "b"]))
    return task


def vectors(rows: int) -> torch.Tensor:
    """Rows that find each other."""
    found = torch.randn(rows, 1, 3).expand(rows, 2, 3)
    return found / found.norm(dim=2, keepdim=True)


def test_it_is_a_task(table: Maker) -> None:
    task = fitted(table)
    assert [name for name in vars(Task) if not name.startswith("_") and not hasattr(task, name)] == []
    assert task.spec == TaskSpec(3, False, 1.0, "numbers", (2, 3), whole=False, modalities=tuple(task.modalities))
    assert (task.columns, task.modalities) == ([], ["picture", "words"])


@pytest.mark.parametrize("metric", PAIR_METRICS)
def test_skill_of_the_prior_is_0_and_of_perfection_1(table: Maker, metric: str) -> None:
    task = fitted(table, metric=metric)
    target = np.zeros(20, np.int64)
    prior = task.evaluate(task.answer(task.prior().expand(20, 2, 3)), target)
    assert prior["skill"] == pytest.approx(0, abs=1e-6)
    assert prior["constant"] == pytest.approx(prior[metric])
    answer = task.answer(vectors(20))
    best = task.evaluate(answer, target)
    assert best[metric] == best["skill"] == task.skill(answer, target) == 1
    assert list(best) == ["rows", *PAIR_METRICS, f"{metric}.words", f"{metric}.picture", "constant", "skill"]


def test_each_direction_by_what_is_looked_for(table: Maker) -> None:
    """Both pictures are like the second row's words: looked for by pictures one of two is found, by words none is told from the other."""
    answer = np.array([[[1.0, 0, 0], [0, 1, 0]], [[1, 0, 0], [1, 0, 0]]])
    found = fitted(table).evaluate(answer, np.zeros(2, np.int64))
    assert (found["recall_1.words"], found["recall_1.picture"], found["recall_1"]) == (0.5, 0.5, 0.5)
    answer[1, 0] = [0, 0, 1]
    found = fitted(table).evaluate(answer, np.zeros(2, np.int64))
    assert (found["recall_1.words"], found["recall_1.picture"]) == (0.25, 0.25)


def test_few_rows_and_a_model_that_diverged(table: Maker) -> None:
    task = fitted(table)
    for answer in (np.zeros((0, 2, 3)), np.zeros((1, 2, 3)), np.full((4, 2, 3), np.nan)):
        found = task.evaluate(answer, np.zeros(len(answer), np.int64))
        assert found["skill"] is None
        assert task.skill(answer, np.zeros(len(answer), np.int64)) is None
        json.dumps(found, allow_nan=False)


def test_state_outlives_json(table: Maker) -> None:
    task, restored = fitted(table), Retrieval("pairs", modalities=["picture", "words"], dim=3)
    restored.load_state(json.loads(json.dumps(task.state())))
    assert restored.spec == task.spec
    assert restored.encode(table(["a", None]))[1].all()


def test_what_a_user_reads(table: Maker) -> None:
    answer = fitted(table).answer(vectors(3))
    answer[1, 1] = 0
    found = fitted(table).decode(answer)
    assert list(found) == ["", ".similarity", ".vector.picture", ".vector.words"]
    assert [found[""][0], found[""][2]] == [1, 3]
    assert found[""][1] in (1, 3)
    assert found[".similarity"] == [pytest.approx(1), None, pytest.approx(1)]
    assert found[".vector.words"][1] is None
    assert found[".vector.picture"][1] == pytest.approx(answer[1, 0].tolist())
    assert all(len(cells) == 0 for cells in fitted(table).decode(answer[:0]).values())


def test_the_head_reads_both(table: Maker) -> None:
    there = torch.ones(2, 1, dtype=torch.bool)
    tokens = {name: Tokens(torch.randn(2, 1, dim), there) for name, dim in (("picture", 4), ("words", 5))}
    found = fitted(table).head(6, {"picture": 4, "words": 5})(torch.randn(2, 6), Fused(torch.randn(2, 6), tokens, there[:, 0]))
    assert found.shape == (2, *fitted(table).prior().shape)


@pytest.mark.parametrize("names", [[], ["picture"], ["picture", "picture"], ["a", "b", "c"]], ids=str)
def test_a_pair_is_two(names: list[str]) -> None:
    with pytest.raises(ConfigError, match="two different ones are a pair"):
        Retrieval("pairs", modalities=names)


def test_rows_that_lack_a_modality_are_not_labelled() -> None:
    config = load([*ADD, *SMALL, "data.absent=0.3", "data.unlabelled=0.2"]).config
    parts = data_parts(config)
    data = prepare(parts.source, parts.settings, parts.modalities, parts.tasks, progress=False)
    for split in data.splits.values():
        both = split.present["picture"] & split.present["caption"]
        assert 0 < both.sum() < len(both)
        assert_array_equal(split.labelled["pairs"], both)
        assert split.batch(np.arange(len(both))).scored["pairs"]["fused"].tolist() == np.flatnonzero(both).tolist()


def test_no_view_holds_both() -> None:
    assert main(["check", *ADD, *SMALL, "model=fusion_late"]) == 2


def test_it_trains_and_answers(tmp_path: Path) -> None:
    """Pictures and captions share a shape: told by it alone, one of four rows would be left to look through."""
    run, rows = tmp_path / "run", tmp_path / "rows.parquet"
    alone = ["~data.modalities.tone", *(f"~tasks.{name}" for name in ("shape", "colour", "position", "pitch", "match"))]
    words = [*ADD, *alone, *SMALL, "data.train=384", "data.val=96", "missing.dropout=0.1", "mixing=mixup", "tasks.pairs.metric=mrr"]
    assert main(["train", *words, "training.epochs=8", "training.batch_size=32", "optimizer.lr=0.003", f"hydra.run.dir={run}"]) == 0
    last = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert max(line["skill"] for line in last if line["split"] == "val") > 0.03
    config = load([*words]).config
    table = data_parts(config).source.tables().tables["test"]
    frame = table.frame.with_columns(pl.when(pl.int_range(len(table)) == 2).then(None).otherwise("caption").alias("caption"))
    frame.write_parquet(rows)
    assert main(["predict", str(run), str(rows), "--output", str(tmp_path / "out.csv")]) == 0
    found = pl.read_csv(tmp_path / "out.csv")
    assert found["pairs.similarity"].is_null().arg_true().to_list() == [2]
    assert found["pairs"].is_between(1, len(table)).all()
    assert found["pairs.vector.caption"].is_null().arg_true().to_list() == [2]
    assert len(json.loads(found["pairs.vector.picture"][2])) == 128
    assert load_trained(run).predict(frame)["pairs"].to_list() == found["pairs"].to_list()
    assert main(["evaluate", str(run), "--subsets"]) == 0
