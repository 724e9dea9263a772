import itertools
import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional
from torch.testing import assert_close

from mmtrain.spec import PADDING
from mmtrain.task.alignment import Alignment

TARGET = torch.tensor([[1, 1, 2], [1, 2, PADDING], [1, 1, PADDING], [3, PADDING, PADDING], [2, 3, 1], [1, PADDING, PADDING]])
FRAMES = [5, 3, 2, 5, 5, 0]  # too few in the third row, which needs a blank between equal letters, and in the last


@pytest.fixture
def prediction() -> Tensor:
    """Logits of blank and three letters in five frames, of which some rows have fewer."""
    found = torch.randn(6, 5, 5, dtype=torch.float64)
    found[..., -1] = 1
    return torch.where(torch.arange(5)[None, :, None] < torch.tensor(FRAMES)[:, None, None], found, 0)


def by_enumeration(chances: Tensor, text: list[int]) -> float:
    """The sum over all paths that become the text, one by one."""
    total = 0.0
    for path in itertools.product(range(chances.shape[1]), repeat=len(chances)):
        if [letter for letter, _ in itertools.groupby(path) if letter] == text:
            total += math.prod(chances[frame, letter].item() for frame, letter in enumerate(path))
    return total


def test_it_is_the_sum_over_all_alignments(prediction: Tensor) -> None:
    losses = Alignment()(prediction, TARGET)
    for row, frames in enumerate(FRAMES):
        text = [letter for letter in TARGET[row].tolist() if letter > 0]
        chance = by_enumeration(prediction[row, :frames, :-1].softmax(1), text)
        expected = -math.log(chance) / len(text) if chance else 0
        assert losses[row].item() == pytest.approx(expected, abs=1e-9)
        assert (chance == 0) == (row in (2, 5))


def test_values_and_gradients_are_torchs_own_with_lengths(prediction: Tensor) -> None:
    """Ours takes no length from the device."""
    ours, theirs = (prediction.clone().requires_grad_() for _ in range(2))
    Alignment()(ours, TARGET).sum().backward()
    letters = (TARGET > 0).sum(1)
    chances = theirs[..., :-1].log_softmax(-1).transpose(0, 1)
    losses = functional.ctc_loss(chances, TARGET.clamp(min=1), torch.tensor(FRAMES), letters, reduction="none", zero_infinity=True)
    (losses / letters).sum().backward()
    assert_close(ours.grad, theirs.grad)
    assert ours.grad is not None
    assert not ours.grad[[2, 5]].any()


def test_what_stands_in_no_frame_changes_nothing(prediction: Tensor) -> None:
    """To the bit, whatever it is, and so does a longer neighbour."""
    expected = Alignment()(prediction, TARGET)
    for content in (torch.nan, torch.inf, 7.0):
        filled = prediction.clone()
        filled[1, 3:, :-1] = content
        filled.requires_grad_()
        losses = Alignment()(filled, TARGET)
        assert losses.equal(expected)
        losses.sum().backward()
        assert filled.grad is not None
        assert filled.grad.isfinite().all()
        assert not filled.grad[1, 3:].any()
    longer = functional.pad(prediction, (0, 0, 0, 4))
    assert_close(Alignment()(longer, functional.pad(TARGET, (0, 2), value=PADDING)), expected)


def test_no_frame_in_the_whole_batch() -> None:
    empty = torch.zeros(2, 0, 5, requires_grad=True)
    losses = Alignment()(empty, TARGET[:2])
    assert losses.tolist() == [0, 0]
    losses.sum().backward()
