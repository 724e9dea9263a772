import torch
from torch.testing import assert_close

from mmtrain.batch import Series
from mmtrain.encoder.series import Embedding
from mmtrain.spec import SeriesSpec
from mmtrain.transformer import positions


def series(values: torch.Tensor) -> Series:
    return Series(values, torch.ones_like(values, dtype=torch.bool), torch.ones(values.shape[:2], dtype=torch.bool))


def test_patches_as_written_out() -> None:
    """Step by step values, then flags; the last patch is filled with zeros; sines are added."""
    encoder = Embedding(SeriesSpec(2), out_dim=8, patch=2)
    values = torch.randn(1, 3, 2)
    one, nothing = torch.ones(2), torch.zeros(4)
    first, second, third = values[0]
    patches = torch.stack([torch.cat([first, one, second, one]), torch.cat([third, one, nothing])])
    weight, bias = encoder.embedding.parameters()
    assert_close(encoder(series(values)).values[0], patches @ weight.T + bias + positions(2, 8, patches.device), atol=1e-6, rtol=1e-6)


def test_no_patch_hears_of_another() -> None:
    encoder, values = Embedding(SeriesSpec(2), patch=4), torch.randn(1, 12, 2)
    other = values.clone()
    other[0, 5] += 1
    difference = encoder(series(other)).values - encoder(series(values)).values
    assert difference[0].abs().sum(1).nonzero().flatten().tolist() == [1]
