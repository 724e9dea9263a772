"""The loss of a text over all the ways in which its letters can be laid on frames."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

BLANK = 0


class Alignment(nn.Module):
    """Negative log probability of each row's text, in nats a letter: the sum over all frame-wise paths of letters and blanks that become
    the text where repeated ones are merged and blanks left out.

    A prediction is (K, T, C + 1): logits of the blank and the letters, and a last channel that is 0 where there is no frame (the frame
    then says blank for certain). A text with more letters than there are frames (and a blank between equal neighbours) cannot be laid
    on them: such a row has the loss 0 and no gradient.

    Source: Graves et al. 2006, section 4.1, equations 6 to 8, by torch; divided by the number of letters, as torch's own mean is, so that
    long texts weigh no more than short ones and the loss stands beside that of other tasks.
    """

    def forward(self, prediction: Float[Tensor, "K T D"], target: Int[Tensor, "K S"]) -> Float[Tensor, " K"]:
        """Targets are numbers of letters, from 1; below 0 there is none."""
        there, letters = prediction[..., -1:] > 0, target >= 0
        silent = prediction.new_full((prediction.shape[-1] - 1,), -torch.inf)
        silent[BLANK] = 0.0
        frames = torch.where(there, torch.where(there, prediction[..., :-1], 0.0).log_softmax(-1), silent)
        frames, targets = _evened(frames, target, letters)
        # Numbers that the host knows, so that nothing waits for the device.
        moments, places = [torch.full((len(target),), size) for size in (frames.shape[1], targets.shape[1])]
        losses = functional.ctc_loss(frames.transpose(0, 1), targets, moments, places, blank=BLANK, reduction="none", zero_infinity=True)
        return losses / letters.sum(1).clamp(min=1)


def _evened(
    frames: Float[Tensor, "K T C"], target: Int[Tensor, "K S"], letters: Tensor
) -> tuple[Float[Tensor, "K _ E"], Int[Tensor, "K S"]]:
    """The same losses with texts that are all S long: a place without a letter holds one of two ends by turns, and S frames are added of
    which each says for certain the end of its place, or blank where that place has a letter. There is one way to lay the ends on them."""
    classes, places = frames.shape[2], torch.arange(target.shape[1], device=target.device)
    ends = (classes + places % 2).expand_as(target)
    added = frames.new_full((*target.shape, classes + 2), -torch.inf)
    added = added.scatter(2, torch.where(letters, BLANK, ends)[..., None], 0.0)
    return torch.cat([functional.pad(frames, (0, 2), value=-torch.inf), added], 1), torch.where(letters, target, ends)
