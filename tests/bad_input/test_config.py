"""Mistakes in words and in YAML files: told before anything is read or written."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

Refused = Callable[[Sequence[str]], list[str]]


@pytest.mark.parametrize(
    ("word", "line"),
    [
        ("trainr.epochs=3", "trainr: unknown key; did you mean 'training'? allowed: "),
        ("training.epocs=3", "training.epocs: unknown key; did you mean 'epochs'? allowed: "),
        ("encoder.image.num_layers=3", "encoder.image.num_layers: unknown key; did you mean 'layers'? allowed: "),
        ("fusion.num_fc_layers=3", "fusion.num_fc_layers: unknown key; allowed: "),
        ("tasks.shape.loss.wieght=0.5", "tasks.shape.loss.wieght: unknown key; allowed: beta, class_weights, label_smoothing"),
        ("tasks.shape.encodr=cnn", "tasks.shape.encodr: unknown key; allowed: column, "),
        ("data.modalities.picture.encodr=cnn", "data.modalities.picture.encodr: unknown key; allowed: "),
        ("balancing.alpha=3", "balancing.alpha: unknown key; allowed: nothing"),
        ("encoder/image=cnm", "encoder/image: 'cnm' is not a choice; did you mean 'cnn'? allowed: "),
        ("fusion=concta", "fusion: 'concta' is not a choice; did you mean 'concat'? allowed: "),
        ("task@tasks.shape=clasification", "task@tasks.shape: 'clasification' is not a choice; did you mean 'classification'? "),
        ("balancing=qqq", "balancing: 'qqq' is not a choice; allowed: "),
        ("data=scnes", "data: 'scnes' is not a choice; did you mean 'scenes'? "),
        ("training.precision=fp8", "training.precision: 'fp8' is not a choice; allowed: bf16, fp16, fp32"),
        ("training.epochs=ten", "training.epochs: 'ten' is not a whole number"),
        ("training.epochs=0", "training.epochs: 0 is not a whole number at least 1"),
        ("fusion.dropout=1.5", "fusion.dropout: 1.5 is not a number at least 0 and below 1"),
        ("tasks.shape.weight=-1", "tasks.shape.weight: -1 is not a number at least 0"),
        ("tasks.shape.weight=heavy", "tasks.shape.weight: 'heavy' is not a number"),
        ("~tasks", "tasks: none is given; add one with task@tasks.NAME=..."),
        ("~task@tasks.shape", "tasks.shape: is half a part: it has no _target_; choose one with task@tasks.shape=NAME, or "),
        ("experiment=avdigit", "experiment: 'avdigit' is not a choice; did you mean 'avdigits'? "),
        ("~data.modalities", "data.modalities: none is given; add one with modality@data.modalities.NAME=..."),
        ("tasks.shape.column=caption", "tasks.shape.column: column 'caption' is an input too (data.modalities.caption.column); "),
        ("tasks.shape.column=shpae", "tasks.shape.column: this source has no column 'shpae'; did you mean 'shape'? "),
        ("tasks.shape.metric=mae", "tasks.shape.metric: 'mae' is not a choice; allowed: accuracy, "),
        ("loss@tasks.shape.loss=squared", "tasks.shape.loss: 'Squared' is a loss for numbers, and this task predicts classes; choose "),
        ("loss@tasks.position.loss=focal", "tasks.position.loss: 'Focal' is a loss for classes, and this task predicts numbers; choose "),
        ("selection.task=shap", "selection.task: there is no task 'shap'; did you mean 'shape'? allowed: "),
        ("training.device=gpu", "training.device: 'gpu' cannot be used here; allowed: auto, cpu"),
        ("training.device=meta", "training.device: 'meta' cannot be used here; allowed: auto, cpu"),
        ("optimizer.lr_factor.encoder.imag=0.1", "optimizer.lr_factor.encoder.imag: no part of the model is called so; did you mean "),
    ],
)  # fmt: skip
def test_a_word(refused: Refused, tmp_path: Path, word: str, line: str) -> None:
    [found] = refused(["train", word, "data.train=40", "data.val=10", "data.test=10", f"hydra.run.dir={tmp_path / 'run'}"])
    assert found.startswith(line)


def test_an_unset_environment_variable(refused: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MMTRAIN_DATA", raising=False)
    [line] = refused(["train", "data=avdigits"])
    assert line.startswith("data.root: the environment variable MMTRAIN_DATA is not set; set it to ")


def test_all_mistakes_at_once(refused: Refused) -> None:
    lines = refused(["check", "fusion.dropout=1.5", "optimizer.lr=fast", "trainr=1", "balancing=fixd", "tasks.shape.column=caption"])
    assert sorted(line.split(":")[0] for line in lines) == ["balancing", "fusion.dropout", "optimizer.lr", "tasks.shape.column", "trainr"]


def test_what_needs_torch_is_told_before_the_data_are_read(refused: Refused) -> None:
    [line] = refused(["check", "training.device=gpu"])
    assert line.startswith("training.device: 'gpu' cannot be used here; allowed: auto, cpu")


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("{column: kind}", "{column: kind, wieght: 2}", "tasks.kind.wieght: unknown key; did you mean 'weight'? "),
        ("{column: kind}", "{column: kind, loss: {wieght: 2}}", "tasks.kind.loss.wieght: unknown key; allowed: "),
        ("{numeric: [size]}", "{numeric: [size], encodr: mlp}", "data.modalities.facts.encodr: unknown key; allowed: "),
        ("  id: id", "  id: id\n  valid: val.csv", "data.valid: unknown key; did you mean 'val'? "),
        ("tasks:\n", "trainr: {epochs: 3}\ntasks:\n", "trainr: unknown key; did you mean 'training'? "),
        ("{column: price}", "{column: price, weight: -2}", "tasks.price.weight: -2 is not a number at least 0"),
        ("{numeric: [size]}", "{numeric: [size, price]}", "tasks.price.column: column 'price' is an input too (data.modalities.facts"),
        ("{column: name}", "{column: [name, kind]}", "tasks.kind.column: column 'kind' is an input too (data.modalities.words"),
        ("{column: price}", "{column: prise}", "tasks.price.column: train.csv has no column 'prise'; did you mean 'price'? "),
        ("  val: val.csv\n", "", "data.val: no validation rows are given; give data.val, "),
    ],
)  # fmt: skip
def test_a_yaml_of_the_users_own(own: Any, refused: Refused, old: str, new: str, line: str) -> None:
    own.edit(old, new)
    [found] = refused(own.words())
    assert found.startswith(line)


def test_a_column_that_no_file_has(own: Any, refused: Refused) -> None:
    own.edit("{numeric: [size]}", "{numeric: [sise]}")
    lines = refused(own.words())
    assert [line.split(";")[0] for line in lines] == [
        f"data.modalities.facts.numeric: {split}.csv has no column 'sise'" for split in ("train", "val", "test")
    ]
    assert all("; did you mean 'size'? allowed: " in line for line in lines)


def test_a_label_that_train_does_not_have(own: Any, refused: Refused) -> None:
    lines = refused(own.words("tasks.fresh.positive=Yes", "tasks.kind.loss.class_weights={fig: 2}"))
    assert [line.split(";")[0] for line in lines] == [
        "tasks.kind.loss.class_weights: train has no label 'fig'",
        "tasks.fresh.positive: train has no label 'Yes'",
    ]
