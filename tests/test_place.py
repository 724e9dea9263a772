from typing import Any

import pytest
from torch import nn

from mmtrain.errors import ConfigError
from mmtrain.model import Named
from mmtrain.place import Places


def model() -> nn.Module:
    whole = nn.Module()
    whole.encoder = Named({"front": nn.Linear(2, 3), "words": nn.Linear(2, 3)})
    whole.fusion = nn.Linear(3, 3)
    whole.head = Named({"digit": Named({"fused": nn.Linear(3, 1)})})
    whole.loss = Named({"digit": nn.Linear(1, 1)})
    return whole


def read(tree: dict[str, Any]) -> Places:
    return Places.read(tree, model(), {"front": "image", "words": "text"}, "here")


@pytest.mark.parametrize(
    ("tree", "name", "value"),
    [
        ({"encoder": {"image": 1}}, "encoder.front.weight", 1),
        ({"encoder": {"front": 1}}, "encoder.front", 1),
        ({"encoder": {"front": 1}}, "encoder.words.weight", 0),
        ({"encoder": {"front": 1}}, "encoder", 0),
        ({"encoder": 1}, "encoder", 1),
        ({"encoder": {"text": 2}, "fusion": 3}, "encoder.words.bias", 2),
        ({"encoder": {"image": 1, "front": 2}}, "encoder.front.weight", 2),
        ({"encoder": {"front": 2, "image": 1}}, "encoder.front.weight", 2),
        ({"tasks": {"digit": 4}}, "head.digit.fused.weight", 4),
        ({"tasks": {"digit": 4}}, "loss.digit.weight", 4),
        ({"tasks": {"digit": 4}}, "", 0),
    ],
)
def test_a_name_is_in_its_place(tree: dict[str, Any], name: str, value: int) -> None:
    assert read(tree).find(name, 0) == value


@pytest.mark.parametrize(("tree", "guess"), [({"encoder": {"imag": 1}}, "encoder.image"), ({"fusoin": 1}, "fusion")])
def test_an_unknown_place_is_refused(tree: dict[str, Any], guess: str) -> None:
    with pytest.raises(ConfigError, match=rf"here\.\S+: no part of the model is called so; did you mean '{guess}'"):
        read(tree)
