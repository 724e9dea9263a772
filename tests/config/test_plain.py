from typing import Any

import pytest
from omegaconf import OmegaConf

from mmtrain.config.annotation import MISSING, UNKNOWN
from mmtrain.config.plain import plain
from mmtrain.errors import Problem


def convert(tree: dict[str, Any]) -> tuple[Any, list[str]]:
    problems: list[Problem] = []
    found = plain(OmegaConf.create(tree), problems)
    return found, [str(problem) for problem in problems]


def test_nothing_of_omegaconf_is_left() -> None:
    found, problems = convert({"a": {"b": [1, {"c": "${seed}"}]}, "seed": 7, "none": None})
    assert found == {"a": {"b": [1, {"c": 7}]}, "seed": 7, "none": None}
    assert type(found["a"]) is dict
    assert type(found["a"]["b"]) is list
    assert problems == []


def test_values_to_be_given_stay_and_what_points_to_them_is_unknown() -> None:
    assert convert({"a": "???", "b": ["???"], "c": "${a}"}) == ({"a": MISSING, "b": [MISSING], "c": UNKNOWN}, [])


def test_everything_that_leads_nowhere_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOT_SET", raising=False)
    monkeypatch.delenv("MMTRAIN_DATA", raising=False)
    tree = {"data": {"root": "${oc.env:MMTRAIN_DATA}/x"}, "b": ["${oc.env:NOT_SET}"], "c": "${nope.x}", "d": "${oc.env:NOT_SET,1}"}
    found, problems = convert(tree)
    assert found == {"data": {"root": UNKNOWN}, "b": [UNKNOWN], "c": UNKNOWN, "d": "1"}
    assert problems == [
        "data.root: the environment variable MMTRAIN_DATA is not set; "
        "set it to the folder that holds the data sets, or give data.root=FOLDER",
        "b[0]: the environment variable NOT_SET is not set; set it, or give the value",
        "c: Interpolation key 'nope.x' not found",
    ]
