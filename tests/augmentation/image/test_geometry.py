"""Against torch's own look-up, torch.rot90 and torchvision."""

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional
from torch.testing import assert_close
from torchvision.transforms import InterpolationMode
from torchvision.transforms.functional import rotate

from mmtrain.augmentation.image.geometry import affine, warp


def pictures(height: int = 7, width: int = 7) -> Tensor:
    return torch.rand(3, 2, height, width) * 2 - 1


def matrix(angle: float = 0, shear: float = 0, width: float = 1, height: float = 1, right: float = 0, down: float = 0) -> Tensor:
    turned, leant, wide, high = (torch.full((3,), float(number)) for number in (angle, shear, width, height))
    return affine(turned, leant, wide, high, torch.tensor([[right, down]]).repeat(3, 1).float())


def test_it_is_what_torch_looks_up_there() -> None:
    """A matrix a row, in torch's own units: half a picture."""
    pixels, free = pictures(6, 9), torch.randn(3, 2, 3)
    units = free.clone()
    units[:, 0, 1] *= 6 / 9
    units[:, 1, 0] *= 9 / 6
    units[:, 0, 2] *= 2 / 9
    units[:, 1, 2] *= 2 / 6
    grid = functional.affine_grid(units, list(pixels.shape), align_corners=False)
    expected = functional.grid_sample(pixels, grid, padding_mode="border", align_corners=False)
    assert_close(warp(pixels, free), expected, atol=1e-5, rtol=0)


def test_nothing_to_do_changes_nothing() -> None:
    pixels = pictures(5, 8)
    assert_close(warp(pixels, matrix()), pixels, atol=1e-6, rtol=0)


@pytest.mark.parametrize("quarters", [1, 2, 3, -1])
def test_quarter_turns(quarters: int) -> None:
    pixels = pictures()
    assert_close(warp(pixels, matrix(quarters * math.pi / 2)), torch.rot90(pixels, quarters, (2, 3)), atol=1e-5, rtol=0)


def test_any_turn() -> None:
    pixels = pictures(21, 31)
    expected = rotate(pixels, 25, InterpolationMode.BILINEAR)
    middle = (slice(None), slice(None), slice(7, 14), slice(8, 23))  # beyond, the border goes on where theirs is black
    assert_close(warp(pixels, matrix(math.radians(25)))[middle], expected[middle], atol=1e-3, rtol=0)


def test_a_window_of_the_picture() -> None:
    """The right lower quarter, twice as large, is what bilinear enlargement makes of it, but for its border."""
    pixels = pictures(8, 12)
    found = warp(pixels, matrix(width=0.5, height=0.5, right=3, down=2))
    expected = functional.interpolate(pixels[:, :, 4:, 6:], scale_factor=2, mode="bilinear", align_corners=False)
    assert_close(found[:, :, 1:-1, 1:-1], expected[:, :, 1:-1, 1:-1], atol=1e-5, rtol=0)


def test_leaning_moves_rows_by_their_height() -> None:
    pixels = pictures(5, 9)
    found = warp(pixels, matrix(shear=math.atan(1)))
    for row in range(5):
        source = (torch.arange(9) + row - 2).clamp(0, 8)
        assert_close(found[:, :, row], pixels[:, :, row, source], atol=1e-5, rtol=0)
