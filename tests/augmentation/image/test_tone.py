"""Against Pillow, on bytes."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from PIL import Image, ImageEnhance, ImageOps
from torch import Tensor
from torch.testing import assert_close

from mmtrain.augmentation.image.tone import autocontrast, equalise, posterise, sharpen, solarise


def pictures() -> np.ndarray:
    """One of every level, one dark, one of a single colour, one of few levels."""
    random = np.random.default_rng(0)
    spans = [(0, 256), (30, 90), (77, 78), (100, 104)]
    return np.stack([random.integers(low, high, (16, 20, 3), np.uint8) for low, high in spans])


def floats(pixels: np.ndarray) -> Tensor:
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 127.5 - 1


def each(change: Callable[[Image.Image], Image.Image]) -> Tensor:
    return floats(np.stack([np.asarray(change(Image.fromarray(pixels))) for pixels in pictures()]))


def amounts(value: float) -> Tensor:
    return torch.full((4,), value)


@pytest.mark.parametrize("bits", [0, 1, 4])
def test_posterise(bits: int) -> None:
    expected = each(lambda picture: ImageOps.posterize(picture, 8 - bits))
    assert_close(posterise(floats(pictures()), amounts(float(bits))), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("share", [0.3, 0.7])
def test_solarise(share: float) -> None:
    expected = each(lambda picture: ImageOps.solarize(picture, math.ceil(255 * (1 - share))))
    assert_close(solarise(floats(pictures()), amounts(share)), expected, atol=1e-5, rtol=0)


def test_autocontrast() -> None:
    one_level = 1.01 / 127.5
    assert_close(autocontrast(floats(pictures())), each(ImageOps.autocontrast), atol=one_level, rtol=0)


def test_equalise() -> None:
    assert_close(equalise(floats(pictures())), each(ImageOps.equalize), atol=1e-5, rtol=0)


@pytest.mark.parametrize("amount", [-0.9, 0.0, 0.9])
def test_sharpen(amount: float) -> None:
    expected = each(lambda picture: ImageEnhance.Sharpness(picture).enhance(1 + amount))
    one_level = 1.01 / 127.5
    assert_close(sharpen(floats(pictures()), amounts(amount)), expected, atol=2 * one_level, rtol=0)


def test_a_picture_without_an_inside_cannot_be_sharpened() -> None:
    pixels = torch.rand(2, 3, 2, 9)
    assert torch.equal(sharpen(pixels, torch.ones(2)), pixels)
