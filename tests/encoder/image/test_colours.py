import pytest
import torch
from torch.nn import functional
from torch.testing import assert_close

from mmtrain.encoder.image.colours import IMAGENET, Rescale, with_channels


def test_colours_are_rescaled_as_torchvision_does() -> None:
    from torchvision.transforms.v2.functional import normalize

    pixels = torch.rand(2, 3, 4, 5)
    assert_close(Rescale(3, *IMAGENET)(pixels * 2 - 1), normalize(pixels, *map(list, IMAGENET)))


def test_grey_and_opacity() -> None:
    grey = Rescale(1, (0.4, 0.5, 0.6), (0.1, 0.2, 0.3))(torch.full((1, 1, 1, 1), 0.4))  # 0.7 of 0 to 1
    assert_close(grey.flatten(), torch.tensor([1.0]))
    opaque = Rescale(4, *IMAGENET)(torch.full((1, 4, 1, 1), 0.25))
    assert float(opaque[0, 3]) == 0.25
    assert Rescale(4, *IMAGENET).state_dict() == {}


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_grey_picture_is_seen_alike(channels: int) -> None:
    weight, grey = torch.randn(5, 3, 3, 3), torch.randn(2, 1, 6, 6)
    expected = functional.conv2d(grey.expand(-1, 3, -1, -1), weight)
    assert_close(functional.conv2d(grey.expand(-1, channels, -1, -1), with_channels(weight, channels)), expected, atol=1e-4, rtol=1e-4)
