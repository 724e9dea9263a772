import math
from typing import Any

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from mmtrain.errors import ConfigError
from mmtrain.loss import CrossEntropy
from mmtrain.spec import TargetSpec

SPEC = TargetSpec("mood", {"calm": 6, "sad": 3, "wild": 1})
SUM = 6 / (1 - 0.9**6) + 3 / (1 - 0.9**3) + 1 / (1 - 0.9)  # of the weights by effective number over the ten rows


def by_formula(logits: np.ndarray, target: np.ndarray, weights: np.ndarray, smoothing: float) -> np.ndarray:
    """Weighted sum of -log p over the classes, with a smoothed target."""
    log_p = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    share = np.eye(3)[target] * (1 - smoothing) + smoothing / 3
    return -(weights * share * log_p).sum(1)


def test_by_hand() -> None:
    """Probabilities 1/4, 1/4, 1/2."""
    logits = torch.tensor([[0.0, 0.0, math.log(2)]]).expand(2, 3)
    assert_close(CrossEntropy(SPEC)(logits, torch.tensor([0, 2])), torch.tensor([math.log(4), math.log(2)]))


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize(
    ("weights", "values"),
    [
        ("none", [1, 1, 1]),
        ("inverse", [10 / 18, 10 / 9, 10 / 3]),
        ("effective", [10 / (1 - 0.9**6) / SUM, 10 / (1 - 0.9**3) / SUM, 10 / (1 - 0.9) / SUM]),
        ({"sad": 4.0}, [1, 4, 1]),
    ],
    ids=["none", "inverse", "effective", "given"],
)
def test_by_formula(smoothing: float, weights: Any, values: list[float]) -> None:
    logits, target = torch.randn(20, 3), torch.randint(3, (20,))
    expected = by_formula(logits.double().numpy(), target.numpy(), np.array(values), smoothing)
    found = CrossEntropy(SPEC, label_smoothing=smoothing, class_weights=weights, beta=0.9)(logits, target)
    assert_close(found, torch.from_numpy(expected).float())


def test_the_weights_are_no_state() -> None:
    """They follow from the configuration and the labels, which a run keeps elsewhere."""
    loss = CrossEntropy(SPEC, class_weights="inverse")
    assert loss.state_dict() == {}
    assert [name for name, _ in loss.named_buffers()] == ["weights"]


def test_an_unknown_label() -> None:
    with pytest.raises(ConfigError, match=r"tasks\.mood\.loss\.class_weights: train has no label 'sda'; did you mean 'sad'\?"):
        CrossEntropy(SPEC, class_weights={"sda": 2.0})
