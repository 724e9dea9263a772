from functools import partial
from typing import Any

import pytest

from mmtrain.errors import ConfigError
from mmtrain.loss import Absolute, BinaryCrossEntropy, CrossEntropy, Focal, Huber, Pinball, Poisson, Squared
from mmtrain.spec import TargetSpec
from mmtrain.task.objective import FIRST_CHOICE, build_loss

LABELS, NUMBERS = TargetSpec("mood", {"a": 1, "b": 1}), TargetSpec("size")


@pytest.mark.parametrize("part", [CrossEntropy, partial(Focal, gamma=1.0)])
def test_losses_for_classes(part: type[CrossEntropy]) -> None:
    assert build_loss(part, LABELS, "classes").targets == "classes"


@pytest.mark.parametrize("part", [Squared, Absolute, partial(Huber, delta=2.0)])
def test_losses_for_numbers(part: type[Squared]) -> None:
    assert build_loss(part, NUMBERS, "numbers").targets == "numbers"


@pytest.mark.parametrize("part", [Squared, Absolute, Huber])
def test_a_loss_for_numbers_does_not_fit_classes(part: type[Squared]) -> None:
    with pytest.raises(ConfigError) as caught:
        build_loss(part, LABELS, "classes")
    assert str(caught.value) == (
        f"tasks.mood.loss: '{part.__name__}' is a loss for numbers, and this task predicts classes; "
        "choose a loss for classes, such as loss@tasks.mood.loss=cross_entropy; mmtrain list loss names them all"
    )


def test_a_loss_for_classes_does_not_fit_numbers() -> None:
    with pytest.raises(ConfigError, match=r"'CrossEntropy' is a loss for classes, and this task predicts numbers; .*=absolute"):
        build_loss(CrossEntropy, NUMBERS, "numbers")


def test_the_choices_it_names_are_there() -> None:
    named: dict[str, Any] = {
        "cross_entropy": CrossEntropy,
        "absolute": Absolute,
        "poisson": Poisson,
        "pinball": Pinball,
        "binary_cross_entropy": BinaryCrossEntropy,
    }
    assert {loss.targets: name for name, loss in named.items()} == FIRST_CHOICE
