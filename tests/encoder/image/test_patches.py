import torch
from torch.nn import functional
from torch.testing import assert_close

from mmtrain.batch import Image
from mmtrain.encoder.image import Patches
from mmtrain.spec import ImageSpec


def test_each_patch_by_the_same_map() -> None:
    """Against torch's unfold: a picture of 3 x 5 is padded to 4 x 6."""
    encoder, pixels = Patches(ImageSpec(3, 3, 5), patch=2, out_dim=7), torch.randn(2, 3, 3, 5)
    patches = functional.unfold(functional.pad(pixels, (0, 1, 0, 1)), 2, stride=2).transpose(1, 2)
    weight, bias = encoder.embedding.parameters()
    expected = patches @ weight.flatten(1).T + bias + encoder.position
    tokens = encoder(Image(pixels))
    assert tokens.grid == (2, 3)
    assert_close(tokens.values, expected, atol=1e-5, rtol=1e-5)


def test_a_patch_larger_than_the_picture_is_one_token() -> None:
    assert Patches(ImageSpec(1, 1, 1), patch=16)(Image(torch.zeros(2, 1, 1, 1))).values.shape == (2, 1, 128)
