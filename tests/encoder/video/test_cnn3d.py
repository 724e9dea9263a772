import pytest
import torch
from torch import nn
from torch.testing import assert_close

from mmtrain.batch import Video
from mmtrain.encoder.video import CNN3D
from mmtrain.encoder.video.cnn3d import Convolution
from mmtrain.spec import VideoSpec

SPEC = VideoSpec(5, 3, 12, 10)
WHOLE = torch.ones(2, 5, dtype=torch.bool)
FRAMES = torch.rand(2, 5, 3, 12, 10, generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_a_layer_is_torchs_convolution_normalised_and_rectified() -> None:
    layer = Convolution(3, 4, (3, 3, 3), 2)
    convolution = nn.Conv3d(3, 4, 3, (1, 2, 2), 1, bias=False)
    convolution.weight.data.copy_(layer.convolution.weight)
    other = nn.Sequential(convolution, nn.BatchNorm3d(4), nn.ReLU())
    values = FRAMES.transpose(1, 2)
    assert_close(layer(values, WHOLE), other(values))
    assert_close(layer.eval()(values, WHOLE), other.eval()(values))


def test_only_frames_that_are_there_are_normalised_over() -> None:
    """As if each row stood alone between frames of zeros."""
    layer = Convolution(3, 4, (3, 1, 1), 1)
    mask = torch.arange(5) < torch.tensor([5, 2])[:, None]
    values = torch.where(mask[:, None, :, None, None], FRAMES.transpose(1, 2), 0)
    raw = layer.convolution(values).transpose(1, 2)[mask]
    expected = torch.relu((raw - raw.mean((0, 2, 3), keepdim=True)) / (raw.var((0, 2, 3), correction=0, keepdim=True) + 1e-5).sqrt())
    found = layer(values, mask).transpose(1, 2)
    assert_close(found[mask], expected)
    assert not found[~mask].any()


def test_factorised_layers_have_about_as_many_weights() -> None:
    """Tran et al. 2018, section 3.5: the width between both convolutions is chosen so."""
    counts = []
    for factorised in (True, False):
        encoder = CNN3D(SPEC, channels=16, factorised=factorised)
        counts.append(sum(weight.numel() for name, weight in encoder.named_parameters() if "convolution" in name))
    assert counts[0] == pytest.approx(counts[1], rel=0.01)


@pytest.mark.parametrize("factorised", [True, False])
def test_time_is_not_halved_and_space_is(factorised: bool) -> None:
    encoder = CNN3D(SPEC, channels=2, layers=3, grid=2, factorised=factorised)
    strides = [layer.stride for layer in encoder.modules() if isinstance(layer, nn.Conv3d)]
    assert sorted(strides) == sorted([(1, 2, 2)] * 2 + [(1, 1, 1)] * (len(strides) - 2))
    assert encoder(Video(FRAMES, WHOLE)).values.shape == (2, 5, 128)


@pytest.mark.parametrize(("layers", "hear"), [(1, [1, 2, 3]), (2, [0, 1, 2, 3, 4])])
def test_a_frame_is_heard_as_far_as_the_layers_reach(layers: int, hear: list[int]) -> None:
    encoder, changed = CNN3D(SPEC, channels=4, layers=layers).eval(), FRAMES.clone()
    changed[0, 2] *= -1
    difference = (encoder(Video(changed, WHOLE)).values - encoder(Video(FRAMES, WHOLE)).values).abs().sum(2)
    assert difference[0].nonzero().flatten().tolist() == hear
    assert not difference[1].any()


def test_motion_is_told_from_its_reverse() -> None:
    """Two clips of the same frames: no encoder that sees frames one by one could tell their mean apart."""
    encoder = CNN3D(SPEC, channels=4, layers=2).eval()
    there, back = (encoder(Video(frames, WHOLE)).values.mean(1) for frames in (FRAMES, FRAMES.flip(1)))
    assert (there - back).abs().max() > 1e-4
