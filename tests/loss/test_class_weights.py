import re

import pytest
import torch
from torch.testing import assert_close

from mmtrain.errors import ConfigError
from mmtrain.loss.class_weights import class_weights
from mmtrain.spec import TargetSpec

SPEC = TargetSpec("mood", {"calm": 6, "sad": 3, "007": 1})


def test_none_is_one_each() -> None:
    assert_close(class_weights(SPEC, "none"), torch.ones(3))


def test_inverse_by_hand() -> None:
    """10 rows, 3 classes: 10 / (3 * count)."""
    weights = class_weights(SPEC, "inverse")
    assert_close(weights, torch.tensor([10 / 18, 10 / 9, 10 / 3]))
    assert_close((weights * torch.tensor([6.0, 3.0, 1.0])).sum() / 10, torch.tensor(1.0))  # the mean over the train rows


def test_given_weights_stand_as_they_are() -> None:
    assert_close(class_weights(SPEC, {"sad": 2.5, "007": 0.0}), torch.tensor([1.0, 2.5, 0.0]))


def test_unknown_labels_are_named_together() -> None:
    with pytest.raises(ConfigError) as caught:
        class_weights(SPEC, {"clam": 2.0, "calm": 1.0, "glad": 2.0})
    clam, glad = map(str, caught.value.problems)
    assert clam == "tasks.mood.loss.class_weights: train has no label 'clam'; did you mean 'calm'? allowed: 007, calm, sad"
    assert re.match(r"tasks\.mood\.loss\.class_weights: train has no label 'glad'", glad)
