"""What each option does, seen on pictures of which every pixel is known."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from mmtrain.augmentation.image import Standard
from mmtrain.batch import Image
from mmtrain.spec import ImageSpec

HEIGHT, WIDTH = 8, 16
OFF = {"crop": 0.0, "flip": 0.0}


def ramps(rows: int) -> Tensor:
    """A channel that rises to the right by 1 a pixel, one that rises downward, and one of zeros, from the centre."""
    across, down = torch.arange(WIDTH) - (WIDTH - 1) / 2, torch.arange(HEIGHT) - (HEIGHT - 1) / 2
    picture = torch.stack([across.expand(HEIGHT, -1), down[:, None].expand(-1, WIDTH), torch.zeros(HEIGHT, WIDTH)])
    return picture.repeat(rows, 1, 1, 1)


def augmented(pixels: Tensor, **options: Any) -> Tensor:
    spec = ImageSpec(pixels.shape[1], *pixels.shape[2:])
    return Standard(spec, **OFF | options)(Image(pixels)).pixels


def test_flipping_is_exact_but_for_rounding_and_as_frequent_as_asked() -> None:
    pixels = torch.rand(2000, 3, 2, 2)
    assert_close(augmented(pixels, flip=1.0), pixels.flip(3), atol=2e-6, rtol=0)
    found = augmented(pixels, flip=0.3)
    flipped = ((found - pixels.flip(3)).abs() < 2e-6).flatten(1).all(1)
    assert_close(found[~flipped], pixels[~flipped], atol=2e-6, rtol=0)
    assert abs(float(flipped.float().mean()) - 0.3) < 0.04


def test_a_crop_moves_by_whole_pixels_and_repeats_the_border() -> None:
    pixels = ramps(400)
    found = augmented(pixels, crop=0.25)
    moved = set()
    for row in range(400):
        right, down = (round(float(found[row, channel, HEIGHT // 2, WIDTH // 2] - 0.5)) for channel in (0, 1))
        columns, lines = (torch.arange(WIDTH) + right).clamp(0, WIDTH - 1), (torch.arange(HEIGHT) + down).clamp(0, HEIGHT - 1)
        assert_close(found[row], pixels[row][:, lines][:, :, columns], atol=1e-4, rtol=0)
        moved.add((right, down))
    assert {right for right, _ in moved} == set(range(-4, 5))
    assert {down for _, down in moved} == set(range(-2, 3))


def test_a_window_lies_inside_and_is_large_enough() -> None:
    found = augmented(ramps(500), window=0.4)
    middle = found[:, :, 2:-2, 2:-2]  # the border goes on half a pixel beyond the outermost centres
    width = (middle[:, 0, 0, 1] - middle[:, 0, 0, 0])[:, None, None]
    height = (middle[:, 1, 1, 0] - middle[:, 1, 0, 0])[:, None, None]
    across, down = torch.arange(2, WIDTH - 2) - (WIDTH - 1) / 2, (torch.arange(2, HEIGHT - 2) - (HEIGHT - 1) / 2)[:, None]
    right, below = (middle[:, channel].mean((1, 2))[:, None, None] for channel in (0, 1))
    assert_close(middle[:, 0], (width * across + right).expand_as(middle[:, 0]), atol=1e-4, rtol=0)
    assert_close(middle[:, 1], (height * down + below).expand_as(middle[:, 1]), atol=1e-4, rtol=0)
    area = (width * height).flatten()
    assert area.min() > 0.39 and area.max() < 1.001
    assert area.min() < 0.45 and area.max() > 0.95
    assert ((width / height).flatten().log().abs() < torch.log(torch.tensor(4 / 3)) + 1e-3).all()
    assert (right.flatten().abs() <= (1 - width.flatten()) * WIDTH / 2 + 1e-3).all()
    assert (below.flatten().abs() <= (1 - height.flatten()) * HEIGHT / 2 + 1e-3).all()


def test_turns_keep_the_centre_and_stay_below_their_bound() -> None:
    found = augmented(ramps(500), rotation=30)
    centre = found[:, :, 3:5, 7:9]
    assert_close(centre[:, :2].mean((2, 3)), torch.zeros(500, 2), atol=1e-4, rtol=0)
    angle = torch.rad2deg(torch.atan2(centre[:, 1, 0, 1] - centre[:, 1, 0, 0], centre[:, 0, 0, 1] - centre[:, 0, 0, 0]))
    assert angle.abs().max() <= 30.001
    assert angle.min() < -28 and angle.max() > 28


def test_light_and_colour_change_as_asked() -> None:
    pixels = torch.rand(500, 3, 4, 4) * 0.2 - 0.1
    found = augmented(pixels, brightness=0.5)
    factor = ((found + 1) / (pixels + 1)).flatten(1)
    assert_close(factor.amax(1), factor.amin(1), atol=1e-4, rtol=0)
    assert factor.min() < 0.55 and factor.max() > 1.45
    assert factor.min() >= 0.499 and factor.max() <= 1.501
    assert_close(augmented(pixels, contrast=0.5).mean((2, 3)) @ torch.tensor([0.299, 0.587, 0.114]),
                 pixels.mean((2, 3)) @ torch.tensor([0.299, 0.587, 0.114]), atol=1e-5, rtol=0)  # fmt: skip
    for option in ("saturation", "hue"):
        grey = pixels[:, :1].expand(-1, 3, -1, -1)
        assert_close(augmented(grey, **{option: 0.9}), grey, atol=1e-5, rtol=0)
        assert not torch.allclose(augmented(pixels, **{option: 0.9}), pixels, atol=1e-3)


def test_a_grey_box_of_the_right_size_hides_something() -> None:
    pixels = torch.rand(1000, 3, 16, 16) + 1
    found = augmented(pixels, erase=0.6)
    hidden = (found == 0).all(1)
    assert torch.equal(found, torch.where(hidden[:, None], 0, pixels))
    erased = hidden.flatten(1).any(1)
    assert abs(float(erased.float().mean()) - 0.6) < 0.07
    lines, columns = hidden.any(2), hidden.any(1)
    assert torch.equal(hidden, lines[:, :, None] & columns[:, None, :])
    assert (((lines[:, 1:] != lines[:, :-1]).sum(1) <= 2) & ((columns[:, 1:] != columns[:, :-1]).sum(1) <= 2)).all()
    share = hidden[erased].float().mean((1, 2))
    assert share.min() >= 0.01 and share.max() <= 0.4  # rounded to whole pixels
    assert share.max() > 0.25


@pytest.mark.parametrize("side", [1, 2])
def test_the_smallest_pictures_pass(side: int) -> None:
    everything = {"crop": 0.5, "window": 0.1, "rotation": 180, "shear": 45, "contrast": 1.0, "erase": 1.0}
    assert augmented(torch.rand(8, 1, side, side), **everything).isfinite().all()
