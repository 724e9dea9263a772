import os
from functools import partial
from pathlib import Path

import pytest

from mmtrain.config import build
from mmtrain.errors import ConfigError

MINE = """
import os
from os import system as Shell
from subprocess import Popen as Opener


class Part:
    def __init__(self, *facts, **options):
        self.facts, self.options = facts, options


def function(): ...
"""


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    name = f"mine_{os.getpid()}"
    (tmp_path / f"{name}.py").write_text(MINE)
    monkeypatch.syspath_prepend(tmp_path)
    return name


def test_facts_by_position_and_options_by_keyword(mine: str) -> None:
    part = build({"_target_": f"{mine}.Part", "a": 1, "b": [{"c": 2}]}, "fact", 7, trust=[mine])
    assert part.facts == ("fact", 7)
    assert part.options == {"a": 1, "b": [{"c": 2}]}


def test_a_nested_part_waits_for_its_facts(mine: str) -> None:
    outer = build({"_target_": f"{mine}.Part", "loss": {"_target_": f"{mine}.Part", "gamma": 2.0}}, trust=[mine])
    loss = outer.options["loss"]
    assert isinstance(loss, partial)
    assert loss("fact").options == {"gamma": 2.0}


def test_bound_a_part_waits_itself(mine: str) -> None:
    part = build({"_target_": f"{mine}.Part", "a": 1}, bind=True, trust=[mine])
    assert part("fact").facts == ("fact",)
    assert part is not part("fact")


def test_mmtrain_needs_no_trust() -> None:
    assert build({"_target_": "mmtrain.scheduler.Constant", "warmup": 0.5})(0.25) == 0.5


@pytest.mark.parametrize(
    "target",
    [
        "os.system",
        "builtins.eval",
        "mmtrain.cli.os.system",
        "mmtrain.cli.os",
        "mmtrain.cli.main",
        "mmtrain.config.check.Path",
        "mmtrain.nothing_here",
        "Popen",
        "MINE.Shell",
        "MINE.Opener",
        "MINE.function",
    ],
)
def test_an_alias_is_no_way_in(mine: str, target: str) -> None:
    """The resolved object has to be a class of a trusted module, under whatever name it was found."""
    target = target.replace("MINE", mine)
    with pytest.raises((ConfigError, ModuleNotFoundError)) as caught:
        build({"_target_": target}, trust=[mine])
    assert target.rpartition(".")[0] in str(caught.value)


def test_an_untrusted_module_is_not_even_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "explosive.py").write_text("raise AssertionError\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigError, match=r"'explosive\.Part' is not a part of mmtrain or of a module that you trust"):
        build({"_target_": "explosive.Part"})


REFUSES = """
from mmtrain.errors import ConfigError, Problem


class Refuses:
    def __init__(self, where="", *, size=1, inner=None):
        if inner is not None:
            inner(where)
        raise ConfigError(Problem(where, "is wrong"))
"""


@pytest.mark.parametrize(
    ("told", "shown"),
    [("size", "encoder.back.size: is wrong"), ("", "encoder.back: is wrong"), ("tasks.x", "tasks.x: is wrong")],
)
@pytest.mark.parametrize("bind", [False, True])
def test_what_a_constructor_refuses_is_told_with_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: str, shown: str, bind: bool
) -> None:
    (tmp_path / "refusing.py").write_text(REFUSES)
    monkeypatch.syspath_prepend(tmp_path)
    node = {"_target_": "refusing.Refuses", "size": 2}
    with pytest.raises(ConfigError) as caught:
        part = build(node, *([] if bind else [told]), where="encoder.back", trust=["refusing"], bind=bind)
        part(told)
    assert [str(problem) for problem in caught.value.problems] == [shown]
    with pytest.raises(ConfigError) as caught:  # in a part inside it: its own place comes between
        build({"_target_": "refusing.Refuses", "inner": node}, told, where="encoder.back", trust=["refusing"])
    inner = shown.replace("encoder.back", "encoder.back.inner")
    assert [str(problem) for problem in caught.value.problems] == [inner]
