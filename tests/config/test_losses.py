"""A loss for something else than its task predicts is told before torch is imported."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mmtrain.config.losses import check_losses

MINE = """
class Ranks:
    targets = "ranks"

class Inherits(Ranks): ...

class Computed:
    targets = "ra" + "nks"
"""


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    (tmp_path / "mine_losses.py").write_text(MINE)
    monkeypatch.syspath_prepend(tmp_path)
    return ["mine_losses"]


def told(task: str, loss: Any, trust: list[str] | None = None) -> list[str]:
    return [str(problem) for problem in check_losses({"x": {"_target_": task, "loss": loss}}, trust or [])]


@pytest.mark.parametrize("loss", ["CrossEntropy", "Focal", "LogitAdjusted"])
@pytest.mark.parametrize("task", ["Binary", "Classification"])
def test_classes(task: str, loss: str) -> None:
    assert told(f"mmtrain.task.{task}", {"_target_": f"mmtrain.loss.{loss}"}) == []


@pytest.mark.parametrize("loss", ["Absolute", "Huber", "Squared"])
def test_numbers(loss: str) -> None:
    assert told("mmtrain.task.Regression", {"_target_": f"mmtrain.loss.{loss}"}) == []


@pytest.mark.parametrize(
    ("task", "loss", "line"),
    [
        (
            "Classification",
            "Squared",
            "'Squared' is a loss for numbers, and this task predicts classes; choose LOSS=cross_entropy or focal or logit_adjusted",
        ),
        (
            "Binary",
            "Huber",
            "'Huber' is a loss for numbers, and this task predicts classes; choose LOSS=cross_entropy or focal or logit_adjusted",
        ),
        ("Regression", "Focal", "'Focal' is a loss for classes, and this task predicts numbers; choose LOSS=absolute or huber or squared"),
    ],
)
def test_a_loss_for_something_else(task: str, loss: str, line: str) -> None:
    found = told(f"mmtrain.task.{task}", {"_target_": f"mmtrain.loss.{loss}"})
    assert found == [f"tasks.x.loss: {line.replace('LOSS', 'loss@tasks.x.loss')}"]


def test_a_loss_of_the_users_own(mine: list[str]) -> None:
    found = (
        "tasks.x.loss: 'Ranks' is a loss for ranks, and this task predicts numbers; choose loss@tasks.x.loss=absolute or huber or squared"
    )
    assert told("mmtrain.task.Regression", {"_target_": "mine_losses.Ranks"}, mine) == [found]


def test_targets_that_no_built_in_loss_is_for(mine: list[str]) -> None:
    found = "tasks.x.loss: 'Squared' is a loss for numbers, and this task predicts ranks; choose loss@tasks.x.loss=NAME"
    assert told("mine_losses.Ranks", {"_target_": "mmtrain.loss.Squared"}, mine) == [found]


@pytest.mark.parametrize("name", ["Inherits", "Computed"])
def test_what_a_class_does_not_say_is_not_known(mine: list[str], name: str) -> None:
    assert told("mmtrain.task.Regression", {"_target_": f"mine_losses.{name}"}, mine) == []


@pytest.mark.parametrize("loss", [{}, None, "squared"], ids=repr)
def test_what_is_no_part_has_been_told(loss: Any) -> None:
    assert told("mmtrain.task.Classification", loss) == []


def test_torch_is_not_imported() -> None:
    code = "import sys; from mmtrain.cli import main; print(main(sys.argv[1:]), 'torch' in sys.modules)"
    words = ["train", "loss@tasks.shape.loss=squared"]
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
    assert done.stdout == "2 False\n"
    assert done.stderr.startswith("error: tasks.shape.loss: 'Squared' is a loss for numbers, and this task predicts classes; ")
