import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.testing import assert_close

from mmtrain.batch import Image
from mmtrain.encoder.image import Residual
from mmtrain.encoder.image.residual import Block
from mmtrain.spec import ImageSpec


@pytest.mark.parametrize(("size", "side"), [((64, 64), 4), ((28, 28), 7), ((96, 48), 6), ((8, 8), 4), ((3, 5), 3)])
def test_halving_goes_no_further_than_the_grid(size: tuple[int, int], side: int) -> None:
    encoder = Residual(ImageSpec(1, *size), channels=2, levels=4 if size != (28, 28) else 3).eval()
    pixels = torch.randn(2, 1, *size)
    assert min(encoder.levels(encoder.stem(pixels)).shape[2:]) == side
    assert encoder(Image(pixels)).grid == (4, 4)


def test_a_block_adds_to_what_it_read() -> None:
    """By torch's own functions: two normalised convolutions, and the input where nothing changes its shape."""
    block, values = Block(3, 3, 1), torch.randn(4, 3, 5, 5)
    first, second = (part.get_parameter("weight") for part in block.convolutions if isinstance(part, nn.Conv2d))
    inner = functional.relu(functional.batch_norm(functional.conv2d(values, first, padding=1), None, None, training=True))
    inner = functional.batch_norm(functional.conv2d(inner, second, padding=1), None, None, training=True)
    assert_close(block(values), functional.relu(inner + values), atol=1e-5, rtol=1e-4)
    assert Block(3, 6, 2)(values).shape == (4, 6, 3, 3)


def test_stages_are_the_blocks_of_all_levels() -> None:
    encoder = Residual(ImageSpec(3, 16, 16), channels=2, levels=3, blocks=2)
    assert len(encoder.stages) == 6
    shortcuts = [part for stage in encoder.stages for name, part in stage.named_modules() if name == "shortcut.0"]
    assert [part.out_channels for part in shortcuts if isinstance(part, nn.Conv2d)] == [4, 8]


def test_it_has_the_size_that_was_promised() -> None:
    """About 1.2 million numbers before the read-out, with 32 to 256 channels."""
    encoder = Residual(ImageSpec(3, 64, 64))
    body = sum(parameter.numel() for parameter in [*encoder.stem.parameters(), *encoder.levels.parameters()])
    assert 1.1e6 < body < 1.3e6
