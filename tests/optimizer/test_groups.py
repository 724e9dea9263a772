from typing import Any

import pytest
from torch import nn

from mmtrain.errors import ConfigError
from mmtrain.model import Named
from mmtrain.optimizer.groups import parameter_groups

KINDS = {"front": "image", "words": "text"}


def model() -> nn.Module:
    whole = nn.Module()
    whole.encoder = Named({"front": nn.Linear(2, 3), "words": nn.Linear(2, 3)})
    whole.fusion = nn.Linear(3, 3)
    whole.head = Named({"digit": Named({"fused": nn.Linear(3, 1)})})
    return whole


def rates(lr_factor: dict[str, Any]) -> dict[str, float]:
    built = model()
    groups = parameter_groups(built, KINDS, lr=1.0, weight_decay=0.1, lr_factor=lr_factor)
    names = {id(parameter): name for name, parameter in built.named_parameters()}
    found = [(names[id(parameter)], group) for group in groups for parameter in group["params"]]
    assert sorted(name for name, _ in found) == sorted(names.values())  # every parameter, once
    assert all(group["weight_decay"] == (0.0 if name.endswith("bias") else 0.1) for name, group in found)
    return {name.removesuffix(".weight"): group["lr"] for name, group in found if name.endswith("weight")}


def test_kinds_names_and_tasks_are_places() -> None:
    assert rates({"encoder": {"image": 0.1}, "tasks": {"digit": 3}}) == {
        "encoder.front": 0.1,
        "encoder.words": 1.0,
        "fusion": 1.0,
        "head.digit.fused": 3.0,
    }


def test_the_longest_place_wins() -> None:
    assert rates({"encoder": {"front": 0.1}, "fusion": 2}) == rates({"fusion": 2, "encoder": {"front": 0.1}})
    assert rates({"encoder": 0.5}) == {"encoder.front": 0.5, "encoder.words": 0.5, "fusion": 1.0, "head.digit.fused": 1.0}


@pytest.mark.parametrize(("place", "guess"), [({"encoder": {"imag": 0.1}}, "encoder.image"), ({"fusoin": 1}, "fusion")])
def test_an_unknown_place_is_refused(place: dict[str, Any], guess: str) -> None:
    with pytest.raises(ConfigError, match=f"no part of the model is called so; did you mean '{guess}'"):
        rates(place)
