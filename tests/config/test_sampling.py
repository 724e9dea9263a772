"""The tasks of a sampler are looked up before torch is imported."""

import subprocess
import sys
from typing import Any

import pytest

from mmtrain.cli import main
from mmtrain.config import load
from mmtrain.config.sampling import check_sampler
from mmtrain.errors import ConfigError

TASKS: dict[str, Any] = {
    "shape": {"_target_": "mmtrain.task.Classification"},
    "match": {"_target_": "mmtrain.task.Binary"},
    "position": {"_target_": "mmtrain.task.Regression"},
}


def told(**sampler: Any) -> list[str]:
    return [str(problem) for problem in check_sampler(sampler, TASKS, ())]


def test_tasks_that_predict_classes() -> None:
    assert told(tasks=["shape", "match"]) == []
    assert told() == []


def test_a_task_that_is_not_there() -> None:
    assert told(tasks=["shpae", "shpae"]) == [
        "sampler.tasks: there is no task 'shpae'; did you mean 'shape'? allowed: match, position, shape"
    ]


def test_a_task_of_numbers() -> None:
    assert told(tasks=["shape", "position"]) == [
        "sampler.tasks: task 'position' predicts numbers, and only classes can be balanced; leave it out"
    ]


def test_no_task() -> None:
    assert told(tasks=[]) == ["sampler.tasks: no task is named; allowed: match, position, shape"]


def test_a_ratio_of_all_tasks() -> None:
    assert told(ratio={"position": 1.0, "shape": 2.0, "match": 0.5}) == []


def test_a_ratio_names_every_task_and_no_other() -> None:
    assert told(ratio={"shpae": 2.0, "match": 1.0}) == [
        "sampler.ratio.shpae: there is no task 'shpae'; did you mean 'shape'? allowed: match, position, shape",
        "sampler.ratio: names no number for task 'shape'; add sampler.ratio.shape=1, or another number",
        "sampler.ratio: names no number for task 'position'; add sampler.ratio.position=1, or another number",
    ]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["sampler=ratio"], "sampler.ratio: has to be given; it is a mapping to a number above 0"),
        (["sampler=ratio", "sampler.ratio={shape:0}"], "sampler.ratio.shape: 0 is not a number above 0"),
        (["sampler=temperature", "sampler.temperature=0.5"], "sampler.temperature: 0.5 is not a number at least 1"),
        (["sampler=temperature", "sampler.cap=0"], "sampler.cap: 0 is not a whole number at least 1 or null"),
        (["sampler=balanced"], "sampler.tasks: has to be given; it is a list of text"),
        (["sampler=balanced", "sampler.tasks=shape"], "sampler.tasks: 'shape' is not a list of text"),
        (["sampler=balanced", "sampler.tasks=[shape]", "sampler.power=2"], "sampler.power: 2 is not a number at least 0 and at most 1"),
        (["sampler.tasks=[shape]"], "sampler.tasks: unknown key; allowed: nothing"),
    ],
)
def test_other_mistakes(words: list[str], line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(words)
    assert [str(problem) for problem in caught.value.problems] == [line]


def test_torch_is_not_imported() -> None:
    code = "import sys; from mmtrain.cli import main; print(main(sys.argv[1:]), 'torch' in sys.modules)"
    words = ["train", "sampler=balanced", "sampler.tasks=[position,shpae]"]
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
    assert done.stdout == "2 False\n"
    assert done.stderr.count("\n") == 2


def test_an_epoch_is_as_long_as_train_has_rows(tiny: list[str], tmp_path: Any) -> None:
    words = [*tiny, "sampler=balanced", "sampler.tasks=[shape,match]", "training.epochs=1"]
    assert main(["train", *words, f"hydra.run.dir={tmp_path / 'run'}"]) == 0
    assert '"step": 3' in (tmp_path / "run" / "metrics.jsonl").read_text()
