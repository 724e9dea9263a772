from typing import Any

import pytest
from torch import nn

from mmtrain.errors import ConfigError
from mmtrain.model import Named
from mmtrain.optimizer.groups import parameter_groups, stage_factors

KINDS = {"front": "image", "words": "text"}


def model() -> nn.Module:
    whole = nn.Module()
    whole.encoder = Named({"front": nn.Linear(2, 3), "words": nn.Linear(2, 3)})
    whole.fusion = nn.Linear(3, 3)
    whole.head = Named({"digit": Named({"fused": nn.Linear(3, 1)})})
    return whole


class Deep(nn.Module):
    """A stem, two stages with something between them, and a read-out."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.first, self.between, self.second, self.readout = (nn.Linear(2, 2) for _ in range(5))

    @property
    def stages(self) -> list[nn.Module]:
        return [self.first, self.second]


def rates(lr_factor: dict[str, Any] | None = None, layer_decay: dict[str, Any] | None = None, **encoders: nn.Module) -> dict[str, float]:
    built: Any = model()
    built.encoder._modules.update(encoders)
    groups = parameter_groups(built, KINDS, lr=1.0, weight_decay=0.1, lr_factor=lr_factor, layer_decay=layer_decay)
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


def test_deeper_stages_learn_slower() -> None:
    found = rates({"encoder": 0.1}, {"encoder": {"image": 0.5}}, front=Deep())
    assert found == {
        "encoder.front.stem": pytest.approx(0.05),
        "encoder.front.first": pytest.approx(0.05),
        "encoder.front.between": pytest.approx(0.1),
        "encoder.front.second": pytest.approx(0.1),
        "encoder.front.readout": pytest.approx(0.1),
        "encoder.words": pytest.approx(0.1),
        "fusion": 1.0,
        "head.digit.fused": 1.0,
    }


def test_the_factor_is_a_power_of_the_stages_above() -> None:
    layers = [nn.Linear(1, 1, bias=False) for _ in range(4)]
    assert stage_factors(nn.Sequential(*layers), layers, 0.8) == pytest.approx(
        {"0.weight": 0.8**3, "1.weight": 0.8**2, "2.weight": 0.8, "3.weight": 1.0}
    )


@pytest.mark.parametrize(
    ("place", "message"),
    [
        (
            {"encoder": {"text": 0.5}},
            "optimizer.layer_decay.encoder: Linear, the encoder of 'words', has no stages; use optimizer.lr_factor",
        ),
        ({"encoder": 0.5}, "the encoder of 'words', has no stages"),
        ({"fusion": 0.5}, "optimizer.layer_decay.fusion: only encoders have stages"),
        (
            {"encoder": {"imgae": 0.5}},
            "optimizer.layer_decay.encoder.imgae: no part of the model is called so; did you mean 'encoder.image'",
        ),
    ],
)
def test_what_has_no_stages_is_refused(place: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        rates(None, place, front=Deep())
