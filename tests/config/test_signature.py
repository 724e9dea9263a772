from pathlib import Path
from typing import Any, Literal

import pytest

from mmtrain.config.annotation import UNKNOWN
from mmtrain.config.signature import Option, signature, trusted
from mmtrain.errors import ConfigError
from mmtrain.option import Count, Dropout

MINE = '''
from dataclasses import dataclass, field
from os import system as Shell
from typing import ClassVar

from .inner import Deep
from mmtrain.fusion import Concat as Other
import torch

raise RuntimeError("a part must not be imported to be checked")


class Mine:
    """Mine."""

    kind: ClassVar[str] = "image"
    columns = ["a", "b"]
    made = print

    def __init__(self, spec, *, out_dim: Count = 128, act=print, pooling: Literal["mean", "max"] = "mean", must: Dropout, free=-1): ...


@dataclass(frozen=True)
class Settings:
    name: str
    limit: Count | None = None
    kind: ClassVar[str] = "x"


class Plain:
    pass
'''


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A package of the user's own; importing it fails."""
    package = tmp_path / "mine"
    package.mkdir()
    (package / "__init__.py").write_text(MINE)
    (package / "inner.py").write_text("class Deep:\n    def __init__(self, *, x: int = 1): ...\n")
    (package / "broken.py").write_text("class Broken(\n")
    monkeypatch.syspath_prepend(tmp_path)
    return ["mine"]


def test_options_are_the_keyword_only_parameters(mine: list[str]) -> None:
    assert signature("mine.Mine", "x", mine).options == {
        "out_dim": Option(Count, required=False, default=128),
        "act": Option(Any, required=False, default=UNKNOWN),
        "pooling": Option(Literal["mean", "max"], required=False, default="mean"),
        "must": Option(Dropout, required=True),
        "free": Option(Any, required=False, default=-1),
    }


def test_or_the_fields_of_a_dataclass(mine: list[str]) -> None:
    assert signature("mine.Settings", "x", mine).options == {
        "name": Option(str, required=True),
        "limit": Option(Count | None, required=False, default=None),
    }


def test_a_class_without_a_constructor_has_none(mine: list[str]) -> None:
    assert signature("mine.Plain", "x", mine).options == {}


def test_constants_are_read_too(mine: list[str]) -> None:
    assert signature("mine.Mine", "x", mine).constants == {"kind": "image", "columns": ["a", "b"], "made": UNKNOWN}


@pytest.mark.parametrize("target", ["mine.Deep", "mine.inner.Deep"])
def test_an_import_is_followed(mine: list[str], target: str) -> None:
    assert list(signature(target, "x", mine).options) == ["x"]


def test_an_import_from_mmtrain_is_followed(mine: list[str]) -> None:
    assert "out_dim" in signature("mine.Other", "x", mine).options


@pytest.mark.parametrize(
    ("target", "line"),
    [
        ("mine.Mnie", "x: 'mine.Mnie' is not there; did you mean 'mine.Mine'? allowed: mine.Mine, mine.Plain, mine.Settings"),
        ("mine.nowhere.X", "x: there is no module 'mine.nowhere'; is it in this folder, or installed?"),
        ("mine.Shell", "x: 'os.system' is neither mmtrain's nor in a module that you trust; if it is yours: trust=[os]"),
        ("mine.torch.load", "x: there is no module 'mine.torch'; is it in this folder, or installed?"),
        ("minerals.X", "x: 'minerals.X' is neither mmtrain's nor in a module that you trust; if it is yours: trust=[minerals]"),
        ("os.system", "x: 'os.system' is neither mmtrain's nor in a module that you trust; if it is yours: trust=[os]"),
        ("mmtrain.cli.os.system", "x: there is no module 'mmtrain.cli.os'; is it in this folder, or installed?"),
        ("mmtrain.cli.os", "x: 'mmtrain.cli.os' is not there; "),
    ],
)
def test_a_target_that_cannot_be_built(mine: list[str], target: str, line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        signature(target, "x", mine)
    assert str(caught.value).startswith(line)


def test_a_module_that_cannot_be_parsed(mine: list[str]) -> None:
    with pytest.raises(ConfigError, match=r"broken\.py, line 1: '\(' was never closed"):
        signature("mine.broken.Broken", "x", mine)


@pytest.mark.parametrize(
    ("module", "expected"),
    [("mmtrain.fusion", True), ("mmtrainer", False), ("mine.parts", True), ("mine", True), ("minerals", False), ("", False)],
)
def test_who_is_trusted(module: str, expected: bool) -> None:
    assert trusted(module, ["mine"]) is expected
