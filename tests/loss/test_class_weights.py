import re

import pytest
import torch
from torch.testing import assert_close

from mmtrain.errors import ConfigError
from mmtrain.loss.class_weights import class_weights
from mmtrain.spec import TargetSpec

SPEC = TargetSpec("mood", {"calm": 6, "sad": 3, "007": 1})
BETA = 0.5


def test_none_is_one_each() -> None:
    assert_close(class_weights(SPEC, "none", BETA), torch.ones(3))


def test_inverse_by_hand() -> None:
    """10 rows, 3 classes: 10 / (3 * count)."""
    weights = class_weights(SPEC, "inverse", BETA)
    assert_close(weights, torch.tensor([10 / 18, 10 / 9, 10 / 3]))
    assert_close((weights * torch.tensor([6.0, 3.0, 1.0])).sum() / 10, torch.tensor(1.0))  # the mean over the train rows


def test_effective_by_hand() -> None:
    """With beta 1/2, 6, 3 and 1 rows count as 63/32, 7/4 and 1; their inverses are scaled to a mean of 1 over the ten rows."""
    inverse = torch.tensor([32 / 63, 4 / 7, 1.0])
    expected = inverse * 10 / (6 * 32 / 63 + 3 * 4 / 7 + 1)
    assert_close(class_weights(SPEC, "effective", BETA), expected)


def test_effective_counts_rows_one_by_one() -> None:
    """The recursion from which the paper derives its formula: a new row adds what the others do not cover yet."""
    beta, effective = 0.9, {0: 0.0}
    for rows in range(1, 7):
        effective[rows] = 1 + beta * effective[rows - 1]
    weights = class_weights(SPEC, "effective", beta)
    assert_close(weights / weights[2], torch.tensor([1 / effective[6], 1 / effective[3], 1.0]))


def test_effective_lies_between_none_and_inverse() -> None:
    assert_close(class_weights(SPEC, "effective", 0.0), class_weights(SPEC, "none", BETA))
    assert_close(class_weights(SPEC, "effective", 1 - 1e-12), class_weights(SPEC, "inverse", BETA))
    large = TargetSpec("mood", {"calm": 3_000_000, "wild": 1})
    assert class_weights(large, "effective", 0.999999).isfinite().all()


def test_given_weights_stand_as_they_are() -> None:
    assert_close(class_weights(SPEC, {"sad": 2.5, "007": 0.0}, BETA), torch.tensor([1.0, 2.5, 0.0]))


def test_unknown_labels_are_named_together() -> None:
    with pytest.raises(ConfigError) as caught:
        class_weights(SPEC, {"clam": 2.0, "calm": 1.0, "glad": 2.0}, BETA)
    clam, glad = map(str, caught.value.problems)
    assert clam == "tasks.mood.loss.class_weights: train has no label 'clam'; did you mean 'calm'? allowed: 007, calm, sad"
    assert re.match(r"tasks\.mood\.loss\.class_weights: train has no label 'glad'", glad)
