"""The task that a conditional one is given is looked up before torch is imported."""

import subprocess
import sys
from typing import Any

import pytest

from mmtrain.config import load
from mmtrain.config.given import check_given
from mmtrain.errors import ConfigError

BINARY = "mmtrain.task.Binary"


def told(**given: str | None) -> list[str]:
    tasks: dict[str, Any] = {name: {"_target_": BINARY, "given": parent} for name, parent in given.items()}
    return [str(problem) for problem in check_given(tasks | {"price": {"_target_": "mmtrain.task.Regression"}})]


def test_one_task_a_chain_and_two_of_the_same() -> None:
    assert told(click=None, cart="click", order="cart", share="click") == []


def test_a_task_that_is_not_there() -> None:
    """Left out, or misspelt."""
    assert told(order="click") == ["tasks.order.given: there is no task 'click'; allowed: nothing; without one: tasks.order.given=null"]
    assert told(click=None, order="clik") == [
        "tasks.order.given: there is no task 'clik'; did you mean 'click'? allowed: click; without one: tasks.order.given=null"
    ]


def test_a_task_that_is_not_binary() -> None:
    assert told(order="price") == [
        "tasks.order.given: task 'price' is of kind Regression, and only a binary task has a positive label to be given; "
        "choose task@tasks.price=binary"
    ]


@pytest.mark.parametrize(
    ("given", "circles"),
    [
        ({"one": "one"}, ["one <- one"]),
        ({"one": "two", "two": "one", "three": "one"}, ["one <- two <- one", "two <- one <- two"]),
    ],
)
def test_tasks_that_wait_for_themselves(given: dict[str, str], circles: list[str]) -> None:
    lines = told(**given)
    assert [line.split(": ")[2].split(";")[0] for line in lines] == circles
    assert all("waits for itself" in line for line in lines)


def test_a_task_that_is_left_out_on_the_command_line() -> None:
    words = ["task@tasks.kind=binary", "tasks.kind.column=match", "tasks.kind.given=match", "task@tasks.match=binary"]
    assert load(words).config.tasks["kind"]["given"] == "match"
    with pytest.raises(ConfigError, match=r"tasks\.kind\.given: there is no task 'match'"):
        load([*words[:-1], "~tasks.match"])


def test_torch_is_not_imported() -> None:
    code = "import sys; from mmtrain.cli import main; print(main(sys.argv[1:]), 'torch' in sys.modules)"
    words = ["train", "task@tasks.match=binary", "tasks.match.given=shape"]
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
    assert done.stdout == "2 False\n"
    assert done.stderr.count("\n") == 1
