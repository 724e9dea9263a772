import torch
from torch import Tensor

from mmtrain.augmentation.image import RandAugment
from mmtrain.augmentation.image.rand_augment import OPERATIONS
from mmtrain.batch import Image
from mmtrain.spec import ImageSpec

ROWS = 200


def pictures(channels: int = 3) -> Tensor:
    """The same picture many times, with every level of grey and colour."""
    return (torch.rand(1, channels, 18, 18) * 2 - 1).repeat(ROWS, 1, 1, 1)


def augmented(pixels: Tensor, number: int = 1, magnitude: float = 7.0) -> Tensor:
    spec = ImageSpec(pixels.shape[1], *pixels.shape[2:])
    return RandAugment(spec, number=number, magnitude=magnitude, crop=0, flip=0)(Image(pixels)).pixels


def distances(found: Tensor, pixels: Tensor, magnitude: float = 0.7) -> Tensor:
    """From each row to what each operation makes of it, in the nearer of its two ways."""
    colours = RandAugment(ImageSpec(pixels.shape[1], *pixels.shape[2:])).colours
    amounts = torch.full((len(pixels),), magnitude)
    both = [[operation(pixels, way * amounts, colours) for way in (1, -1)] for operation in OPERATIONS]
    return torch.stack([torch.stack([(found - made).abs().amax((1, 2, 3)) for made in ways]).amin(0) for ways in both])


def test_every_operation_takes_its_turn() -> None:
    pixels = pictures()
    far = distances(augmented(pixels), pixels)
    assert far.amin(0).max() < 1e-5  # each row is what one operation makes
    counts = far.argmin(0).bincount(minlength=len(OPERATIONS))
    assert len(OPERATIONS) == 14
    assert (counts - ROWS / 14).abs().max() < 4 * (ROWS / 14) ** 0.5


def test_several_in_a_row() -> None:
    pixels = pictures()
    far = distances(augmented(pixels, number=2), pixels).amin(0)
    assert 0.5 < float((far > 1e-3).float().mean()) < 0.95  # two that are not `nothing` are no single one


def test_opacity_is_moved_but_never_recoloured() -> None:
    pixels = pictures(4)
    pixels[:, 3] = 0.25
    assert torch.allclose(augmented(pixels, number=3, magnitude=10)[:, 3], pixels[:, 3], atol=1e-5)


def test_it_stays_within_black_and_white() -> None:
    found = augmented(pictures(), number=4, magnitude=10)
    assert found.abs().max() <= 1 + 1e-5


def test_crop_and_flip_come_first() -> None:
    pixels = torch.rand(300, 1, 4, 4)
    found = RandAugment(ImageSpec(1, 4, 4), number=1, magnitude=0, crop=0, flip=1.0)(Image(pixels)).pixels
    assert (found - pixels.flip(3)).abs().flatten(1).amax(1).lt(1e-5).float().mean() > 0.5
