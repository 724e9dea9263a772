import pytest
import torch
from torch.testing import assert_close

from mmtrain.batch import Image
from mmtrain.errors import ConfigError
from mmtrain.mixing import Cutmix
from mmtrain.spec import ImageSpec, TextSpec

ROWS = 2000
PRESENT = {"picture": torch.ones(ROWS, dtype=torch.bool)}


def test_each_row_gets_a_box_and_the_share_is_the_area_that_is_left() -> None:
    mix = Cutmix({"picture": ImageSpec(3, 16, 24)}, probability=1.0)(PRESENT)
    cut = mix.kept == 0
    lines, columns = cut.any(2), cut.any(1)
    assert torch.equal(cut, lines[:, :, None] & columns[:, None, :])
    assert (((lines[:, 1:] != lines[:, :-1]).sum(1) <= 2) & ((columns[:, 1:] != columns[:, :-1]).sum(1) <= 2)).all()
    assert_close(mix.share, 1 - cut.sum((1, 2)) / (16 * 24))
    assert mix.share.min() > 0.45  # a box is rounded to whole pixels
    assert torch.equal(mix.partner == torch.arange(ROWS), mix.share == 1)
    # alpha 1: the share is even from a half to 1, and the box anywhere
    assert abs(float(mix.share.mean()) - 0.75) < 0.015
    assert cut.any(0).all()


def test_pixels_are_one_rows_or_the_others() -> None:
    mix = Cutmix({"picture": ImageSpec(1, 8, 8)}, probability=1.0)(PRESENT)
    pixels = torch.arange(ROWS, dtype=torch.float32)[:, None, None, None].expand(-1, 1, 8, 8)
    found = mix.pictures(Image(pixels)).pixels[:, 0]
    expected = torch.where(mix.kept == 1, pixels[:, 0], mix.partner[:, None, None].float())
    assert torch.equal(found, expected)
    own = (found == pixels[:, 0]).float().mean((1, 2))
    assert_close(own, mix.share)


def test_pictures_of_several_sizes_lose_the_same_part() -> None:
    specs = {"front": ImageSpec(3, 16, 32), "back": ImageSpec(3, 24, 16), "words": TextSpec(9)}
    mix = Cutmix(specs, probability=1.0)(PRESENT)
    assert mix.kept.shape == (ROWS, 8, 16)
    for name in ("front", "back"):
        spec = specs[name]
        assert isinstance(spec, ImageSpec)
        own = torch.arange(ROWS, dtype=torch.float32)[:, None, None, None].expand(-1, 1, spec.height, spec.width)
        assert_close((mix.pictures(Image(own)).pixels == own).float().mean((1, 2, 3)), mix.share)


def test_half_of_the_rows_by_default() -> None:
    mix = Cutmix({"picture": ImageSpec(3, 32, 32)})(PRESENT)
    assert abs(float((mix.share < 1).float().mean()) - 0.5) < 0.05


def test_without_pictures_there_is_nothing_to_cut() -> None:
    with pytest.raises(ConfigError, match="cutmix cuts pictures, and no modality is one; choose mixing=mixup"):
        Cutmix({"words": TextSpec(9)})


def test_pictures_that_cannot_be_cut_alike() -> None:
    with pytest.raises(ConfigError, match="cutmix cannot cut pictures of 16 x 16 and 15 x 16 pixels alike"):
        Cutmix({"front": ImageSpec(3, 16, 16), "back": ImageSpec(3, 15, 16)})
