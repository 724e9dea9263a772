"""Against torchvision, and colorsys for hue."""

import colorsys
import math

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close
from torchvision.transforms import functional

from mmtrain.augmentation.image.colour import Colours

FACTORS = torch.tensor([0.3, 0.8, 1.0, 1.7])
NAMES = ("brightness", "contrast", "saturation")


def changed(pixels: Tensor, **factors: Tensor) -> Tensor:
    whole = torch.ones(len(pixels))
    return Colours(pixels.shape[1])(pixels, *(factors.get(name, whole) for name in NAMES), factors.get("hue", 0 * whole))


@pytest.mark.parametrize("name", NAMES)
def test_one_factor_a_row(name: str) -> None:
    pixels = torch.rand(4, 3, 5, 6)
    found = changed(2 * pixels - 1, **{name: FACTORS})
    for row, factor in enumerate(FACTORS.tolist()):
        expected = getattr(functional, f"adjust_{name}")(pixels[row], factor)
        assert_close(found[row], 2 * expected - 1, atol=3e-4, rtol=0)  # their shares of lightness are rounded to four digits


def test_several_at_once_are_cut_off_once() -> None:
    """Where nothing is cut off in between, it is one after the other."""
    pixels = 0.4 + 0.2 * torch.rand(4, 3, 5, 6)
    found = changed(2 * pixels - 1, brightness=torch.full((4,), 1.1), contrast=torch.full((4,), 0.7), saturation=torch.full((4,), 0.5))
    expected = functional.adjust_contrast(functional.adjust_brightness(functional.adjust_saturation(pixels, 0.5), 1.1), 0.7)
    assert_close(found, 2 * expected - 1, atol=5e-4, rtol=0)


def test_hue_turns_the_colours_of_yiq() -> None:
    pixels, angle = 0.3 + 0.4 * torch.rand(1, 3, 4, 4), 0.7
    found = (changed(2 * pixels - 1, hue=torch.tensor([angle])) + 1) / 2
    for place in range(16):
        y, i, q = colorsys.rgb_to_yiq(*pixels[0].flatten(1)[:, place].tolist())
        turned = y, i * math.cos(angle) - q * math.sin(angle), i * math.sin(angle) + q * math.cos(angle)
        assert_close(found[0].flatten(1)[:, place], torch.tensor(colorsys.yiq_to_rgb(*turned)), atol=0.03, rtol=0)


def test_hue_keeps_grey_and_lightness() -> None:
    grey = torch.rand(1, 1, 4, 4).expand(1, 3, 4, 4)
    assert_close(changed(grey, hue=torch.tensor([2.0])), grey, atol=1e-5, rtol=0)
    pixels = torch.rand(1, 3, 4, 4) * 0.2
    lightness = functional.rgb_to_grayscale(pixels)
    assert_close(functional.rgb_to_grayscale(changed(pixels, hue=torch.tensor([2.0]))), lightness, atol=1e-3, rtol=0)


def test_grey_pictures_and_opacity() -> None:
    grey = torch.rand(2, 1, 3, 3)
    assert_close(changed(grey, saturation=torch.full((2,), 0.1), hue=torch.ones(2)), grey)
    assert_close(changed(2 * grey - 1, brightness=torch.full((2,), 0.5)), grey - 1, atol=1e-6, rtol=0)
    opaque = torch.rand(2, 4, 3, 3)
    assert torch.equal(changed(opaque, brightness=torch.zeros(2))[:, 3], opaque[:, 3])
    assert_close(changed(opaque, brightness=torch.zeros(2))[:, :3], -torch.ones(2, 3, 3, 3))
