from functools import partial
from typing import Any

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from mmtrain.batch import Image, Tokens, Video
from mmtrain.encoder.image import CNN
from mmtrain.encoder.video import Frames
from mmtrain.errors import ConfigError
from mmtrain.spec import ImageSpec, VideoSpec

SPEC = VideoSpec(6, 3, 8, 8)
MASK = torch.arange(6) < torch.tensor([6, 1, 3])[:, None]
CLIPS = Video(torch.rand(3, 6, 3, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1, MASK)


def built(**options: Any) -> Frames:
    options = {"image": partial(CNN, out_dim=6, channels=2, layers=2, grid=2), "out_dim": 4, **options}
    return Frames(SPEC, **options).eval()


def test_without_time_a_token_is_the_projected_mean_of_its_frames_tokens() -> None:
    encoder = built(time="none")
    found = encoder(CLIPS)
    for row, length in enumerate((6, 1, 3)):
        seen = encoder.image(Image(CLIPS.frames[row, :length])).values.mean(1)
        assert_close(found.values[row, :length], encoder.readout(seen))
    assert torch.equal(found.mask, MASK)


@pytest.mark.parametrize(("time", "hears"), [("none", [2]), ("gru", [0, 1, 2, 3, 4, 5]), ("attention", [0, 1, 2, 3, 4, 5])])
def test_who_hears_of_another_frame(time: str, hears: list[int]) -> None:
    encoder, changed = built(time=time), CLIPS.frames.clone()
    changed[0, 2] = -changed[0, 2]
    difference = (encoder(Video(changed, MASK)).values - encoder(CLIPS).values).abs().sum(2)
    assert difference[0].nonzero().flatten().tolist() == hears
    assert not difference[1:].any()


@pytest.mark.parametrize(("time", "matters"), [("none", False), ("gru", True), ("attention", True)])
def test_whether_the_order_of_frames_matters(time: str, matters: bool) -> None:
    """Asked of the mean over time, as a fusion that averages tokens takes it."""
    encoder, whole = built(time=time), torch.ones(1, 6, dtype=torch.bool)
    there, back = (encoder(Video(frames, whole)).values.mean(1) for frames in (CLIPS.frames[:1], CLIPS.frames[:1].flip(1)))
    assert (bool((there - back).abs().max() > 1e-4)) is matters


def test_the_states_are_those_of_torch() -> None:
    encoder = built(time="gru", layers=2)
    assert encoder.recurrent is not None
    other = nn.GRU(6, 4, 2, batch_first=True, bidirectional=True)
    for direction, suffix in ((encoder.recurrent.forwards, ""), (encoder.recurrent.backwards, "_reverse")):
        for number, layer in enumerate(direction or []):
            for name, weight in layer.named_parameters():
                getattr(other, name.removesuffix("0") + str(number) + suffix).data.copy_(weight)
    seen = encoder.image(Image(CLIPS.frames[2, :3])).values.mean(1)
    assert_close(encoder(CLIPS).values[2, :3], encoder.recurrent.readout(other(seen)[0]))


class Picture(nn.Module):
    """Tokens of any number, some masked, with a penalty."""

    def __init__(self, spec: ImageSpec, *, out_dim: int = 3) -> None:
        super().__init__()
        self.spec, self.out_dim = spec, out_dim
        self.weight = nn.Parameter(torch.ones(()))

    def forward(self, inputs: Image) -> Tokens:
        mask = torch.tensor([[True, True, False]]).expand(len(inputs.pixels), 3)
        values = torch.where(mask[:, :, None], inputs.pixels.mean((2, 3))[:, None] * torch.tensor([1.0, 3.0, 9.0])[:, None], 0)
        return Tokens(values, mask, penalties={"size": self.weight})


def test_it_takes_any_picture_encoder() -> None:
    encoder = built(image=Picture, time="none", out_dim=3)
    assert encoder.image.spec == ImageSpec(3, 8, 8)
    found = encoder(CLIPS)
    assert_close(found.values[0], encoder.readout(CLIPS.frames[0].mean((2, 3)) * 2))  # of two tokens, once and three times the mean
    assert found.penalties == {"size": encoder.image.weight}


def test_stages_go_from_the_pictures_to_time() -> None:
    recurrent, attentive, plain = built(time="gru"), built(time="attention", layers=2), built(time="none")
    assert recurrent.stages[-1] is recurrent.recurrent
    assert attentive.attention is not None
    assert attentive.stages[-3:] == [attentive.readout, *attentive.attention.layers]
    assert plain.stages[-1] is plain.readout
    for encoder in (recurrent, attentive, plain):
        assert encoder.stages[: len(encoder.image.stages)] == encoder.image.stages
    assert built(image=Picture).stages[0].spec == ImageSpec(3, 8, 8)  # which has no stages: it is one


def test_heads_must_divide_the_width() -> None:
    with pytest.raises(ConfigError, match="3 heads do not share 4 numbers evenly"):
        built(time="attention", heads=3)
