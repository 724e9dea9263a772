import math

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from mmtrain.errors import ConfigError
from mmtrain.loss import CrossEntropy, Focal
from mmtrain.spec import TargetSpec

SPEC = TargetSpec("mood", {"calm": 6, "sad": 3, "wild": 1})


def test_by_hand() -> None:
    """Probabilities 1/4, 1/4, 1/2: (3/4)^2 log 4 and (1/2)^2 log 2."""
    logits = torch.tensor([[0.0, 0.0, math.log(2)]]).expand(2, 3)
    assert_close(Focal(SPEC)(logits, torch.tensor([0, 2])), torch.tensor([9 / 16 * math.log(4), math.log(2) / 4]))


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0, 5.0])
def test_by_formula(gamma: float) -> None:
    logits, target = torch.randn(20, 3), torch.randint(3, (20,))
    p = (np.exp(logits.double().numpy()) / np.exp(logits.double().numpy()).sum(1, keepdims=True))[np.arange(20), target.numpy()]
    weights = np.array([10 / 18, 10 / 9, 10 / 3])[target.numpy()]
    expected = -weights * (1 - p) ** gamma * np.log(p)
    assert_close(Focal(SPEC, gamma=gamma, class_weights="inverse")(logits, target), torch.from_numpy(expected).float())


def test_effective_class_weights_are_those_of_cross_entropy() -> None:
    logits, target = torch.randn(20, 3), torch.randint(3, (20,))
    found = Focal(SPEC, gamma=0, class_weights="effective", beta=0.7)(logits, target)
    assert_close(found, CrossEntropy(SPEC, class_weights="effective", beta=0.7)(logits, target))
    assert not torch.allclose(found, Focal(SPEC, gamma=0, class_weights="effective", beta=0.99)(logits, target))


def test_without_gamma_it_is_cross_entropy() -> None:
    logits, target = torch.randn(20, 3), torch.randint(3, (20,))
    weights = {"wild": 3.0}
    assert_close(Focal(SPEC, gamma=0, class_weights=weights)(logits, target), CrossEntropy(SPEC, class_weights=weights)(logits, target))


@pytest.mark.parametrize("gamma", [0.0, 0.1, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("size", [1.0, 20.0, 200.0])
def test_gradients_stay_finite_where_the_model_is_sure(gamma: float, size: float) -> None:
    """Right and wrong alike: a probability of exactly 1 has an infinite slope in (1 - p) ** 0.5."""
    logits = (size * torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]])).requires_grad_()
    loss = Focal(SPEC, gamma=gamma)(logits, torch.tensor([0, 0, 0]))
    loss.sum().backward()
    assert loss.isfinite().all()
    assert logits.grad is not None
    assert logits.grad.isfinite().all()


def test_an_unknown_label() -> None:
    with pytest.raises(ConfigError, match=r"tasks\.mood\.loss\.class_weights: train has no label 'clam'; did you mean 'calm'\?"):
        Focal(SPEC, class_weights={"clam": 2.0})
