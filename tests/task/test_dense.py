import math

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from torch import Tensor
from torch.testing import assert_close

from mmtrain.batch import Fused, Tokens
from mmtrain.errors import ConfigError
from mmtrain.loss import CrossEntropy
from mmtrain.spec import TargetSpec
from mmtrain.task.dense import EachPixel, MaskHead, read_runs, write_runs

PRIOR = torch.tensor([0.0, -1.0, -2.0])
SIZE = (7, 12)


def head(layers: int = 2) -> MaskHead:
    torch.manual_seed(0)
    form = {"channels": 32, "layers": layers}
    return MaskHead(5, {"photo": 4}, PRIOR, PRIOR, task="parts", modality="photo", size=SIZE, dropout=0.0, **form)


def fused(values: Tensor, mask: Tensor, grid: tuple[int, int] | None) -> Fused:
    vector = torch.randn(len(values), 5, generator=torch.Generator().manual_seed(1))
    return Fused(vector, {"photo": Tokens(values, mask, grid)}, torch.ones(len(values), dtype=torch.bool))


def drawn(rows: int = 3) -> tuple[Tensor, Tensor]:
    return torch.randn(rows, 6, 4, generator=torch.Generator().manual_seed(2)), torch.ones(rows, 6, dtype=torch.bool)


@pytest.mark.parametrize("layers", [1, 2, 4])
def test_logits_for_every_pixel(layers: int) -> None:
    given, part = fused(*drawn(), (2, 3)), head(layers)
    found = part(given.vector, given)
    assert found.shape == (3, 3, *SIZE)
    found.square().sum().backward()
    assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in part.parameters())


def test_tokens_lie_row_by_row() -> None:
    """What the last token of the first row changes lies in the upper right corner most of all."""
    values, mask = drawn()
    part, other = head(), values.clone()
    other[0, 2] += 5
    changed = (part(fused(values, mask, (2, 3)).vector, fused(other, mask, (2, 3))) - part(*with_vector(values, mask))).abs().sum(1)
    assert changed[0, :3, 8:].mean() > 3 * changed[0, 4:, :4].mean()
    assert not changed[1:].any()


def with_vector(values: Tensor, mask: Tensor) -> tuple[Tensor, Fused]:
    given = fused(values, mask, (2, 3))
    return given.vector, given


def test_the_vector_has_a_part() -> None:
    given, part = fused(*drawn(), (2, 3)), head()
    assert not torch.allclose(part(given.vector, given), part(-given.vector, given))


@pytest.mark.parametrize("garbage", [7.0, math.inf, math.nan])
def test_a_row_without_the_picture_gets_the_prior(garbage: float) -> None:
    """To the bit, whatever stands there; a stand-in has the first place alone."""
    outcomes = []
    for held in (0.0, garbage):
        values, mask = drawn()
        mask[1], mask[2, 1:] = False, False
        values = torch.where(mask[..., None], values, held)
        part, given = head(), fused(values, mask, (2, 3))
        found = part(given.vector, given)
        found.square().sum().backward()
        assert torch.equal(found[1:], PRIOR[:, None, None].expand(2, 3, *SIZE))
        outcomes.append([found, *(parameter.grad for parameter in part.parameters())])
    assert all(torch.equal(one, two) for one, two in zip(*outcomes, strict=True))


@pytest.mark.parametrize("places", [0, 1])
def test_no_row_of_the_batch_has_the_picture(places: int) -> None:
    given = fused(torch.ones(2, places, 4), torch.ones(2, places, dtype=torch.bool), None)
    assert torch.equal(head()(given.vector, given), PRIOR[:, None, None].expand(2, 3, *SIZE))


def test_tokens_on_no_grid_are_refused() -> None:
    given = fused(*drawn(), None)
    with pytest.raises(
        ConfigError, match=r"tasks\.parts: the encoder of 'photo' gives tokens that lie on no grid; choose encoder/image=cnn"
    ):
        head()(given.vector, given)


def test_the_loss_is_the_mean_over_the_pixels_that_count() -> None:
    """By NumPy: minus the log of the softmax at the class of each pixel that is not 255."""
    prediction, target = torch.randn(3, 3, 2, 2), torch.tensor([[[0, 1], [2, 255]], [[255, 255], [255, 255]], [[1, 1], [0, 2]]])
    loss = EachPixel(CrossEntropy(TargetSpec("parts", {"a": 1, "b": 1, "c": 1})))
    found = loss(prediction, target.to(torch.uint8))
    logits = prediction.double().numpy()
    costs = -np.log(np.exp(logits) / np.exp(logits).sum(1, keepdims=True))
    expected = [
        np.mean([costs[row, c, y, x] for (y, x), c in np.ndenumerate(target[row].numpy()) if c != 255] or [0.0]) for row in range(3)
    ]
    assert_close(found.double(), torch.tensor(expected, dtype=torch.float64), atol=1e-6, rtol=1e-6)
    assert loss(prediction[:0], target[:0].to(torch.uint8)).shape == (0,)


def test_what_an_ignored_pixel_is_predicted_to_be_has_no_gradient() -> None:
    prediction = torch.randn(1, 2, 1, 3, requires_grad=True)
    target = torch.tensor([[[0, 255, 1]]], dtype=torch.uint8)
    EachPixel(CrossEntropy(TargetSpec("parts", {"a": 1, "b": 1})))(prediction, target).sum().backward()
    assert prediction.grad is not None
    assert not prediction.grad[..., 1].any()
    assert prediction.grad[..., 0].any()


def test_runs() -> None:
    mask = np.array([[0, 0, 255], [255, 3, 3]])
    assert write_runs(mask) == "0:2 255:2 3:2"
    assert_array_equal(read_runs(write_runs(mask), 2, 3), mask)
