import torch
from torch.testing import assert_close

from mmtrain.batch import Video
from mmtrain.encoder.video import Embedding
from mmtrain.spec import VideoSpec
from mmtrain.transformer import positions


def clip(frames: torch.Tensor) -> Video:
    return Video(frames, torch.ones(frames.shape[:2], dtype=torch.bool))


def test_patches_as_written_out() -> None:
    """Cut by slices from a clip of 3 frames of 3 x 5, filled up with zeros to 4 frames of 4 x 6; a patch's place is added."""
    encoder, frames = Embedding(VideoSpec(3, 2, 3, 5), out_dim=8, frames=2, patch=2), torch.randn(1, 3, 2, 3, 5)
    padded = torch.zeros(4, 2, 4, 6)
    padded[:3, :, :3, :5] = frames[0]
    weight, bias = encoder.embedding.parameters()
    times = positions(2, 8, frames.device)
    expected = []
    for step in range(2):
        for place, (row, column) in enumerate((row, column) for row in (0, 2) for column in (0, 2, 4)):
            patch = padded[2 * step : 2 * step + 2, :, row : row + 2, column : column + 2].transpose(0, 1)  # as the weights: channels first
            expected.append(weight.flatten(1) @ patch.reshape(-1) + bias + times[step] + encoder.places[place])
    found = encoder(clip(frames))
    assert found.mask.shape == (1, 12)
    assert_close(found.values[0], torch.stack(expected), atol=1e-5, rtol=1e-5)


def test_no_patch_hears_of_another() -> None:
    encoder, frames = Embedding(VideoSpec(4, 3, 8, 8), frames=2, patch=4), torch.randn(1, 4, 3, 8, 8)
    other = frames.clone()
    other[0, 2, 1, 6, 1] += 1  # second group of frames, lower left
    difference = encoder(clip(other)).values - encoder(clip(frames)).values
    assert difference[0].abs().sum(1).nonzero().flatten().tolist() == [6]


def test_a_group_of_which_one_frame_is_there() -> None:
    encoder, frames = Embedding(VideoSpec(4, 3, 4, 4), frames=2, patch=4), torch.randn(1, 4, 3, 4, 4)
    mask = torch.tensor([[True, False, False, False]])
    assert encoder(Video(frames, mask)).mask.tolist() == [[True, False]]
