"""Beam search for the text that a decoder finds most probable."""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from mmtrain.task.decoder import END, START, Decoder


class Best(NamedTuple):
    """The best text of each row so far, its score, how many texts have come to their end, and whether the row is done."""

    ids: Int[Tensor, "B L"]
    score: Float[Tensor, " B"]
    ended: Int[Tensor, " B"]
    done: Bool[Tensor, " B"]


class Found(NamedTuple):
    """The likeliest ways to go on, 2 K of them, the best first: their log probabilities, which text they go on from, and with which id."""

    scores: Float[Tensor, "B W"]
    origin: Int[Tensor, "B W"]
    ids: Int[Tensor, "B W"]


@torch.no_grad()
def search(
    decoder: Decoder, memory: Float[Tensor, "B M D"], mask: Bool[Tensor, "B M"], *, beams: int, length: int, penalty: float
) -> Int[Tensor, "B L"]:
    """Ids of a text for each row: `length` at most with the end, which is forced at the last place, and then 0.

    Of all that could follow the `beams` likeliest texts, the likeliest go on; one that ends among the first `beams` of them is set
    aside. The score of a text is its log probability divided by its length to the power of `penalty`. A row is done when `beams` texts
    have ended and none that goes on has a better score than the best of them, which is taken. One beam is greedy search. Nothing waits
    for the device: all rows take all steps.

    Source: Wu et al. 2016, section 7, with length to a power for the penalty of equation 14, and no penalty for what is left unseen.
    """
    rows, start = len(memory), torch.arange(len(memory), device=memory.device)[:, None] * beams
    written = decoder.begin(memory.repeat_interleave(beams, 0), mask.repeat_interleave(beams, 0))
    ids = start.new_zeros(rows, beams, length)
    scores = memory.new_full((rows, beams), -torch.inf).index_fill(1, start.new_zeros(1), 0.0)  # all begin alike: one is enough
    none = start.new_zeros(rows)
    best = Best(ids[:, 0], memory.new_full((rows,), -torch.inf), none, none > 0)
    last = start.new_full((rows * beams,), START)
    for place in range(length):
        logits, written = decoder.step(written, last, place)
        found = _found(scores, logits.log_softmax(-1).unflatten(0, (rows, beams)), must_end=place == length - 1)
        texts = ids.gather(1, found.origin[..., None].expand(-1, -1, length))
        texts = torch.cat([texts[..., :place], found.ids[..., None], texts[..., place + 1 :]], 2)
        best = _best(best, found, texts, beams, (place + 1) ** penalty)
        on = (found.ids == END).long().argsort(stable=True, dim=1)[:, :beams]  # the likeliest that do not end
        scores = torch.where(found.ids == END, -torch.inf, found.scores).gather(1, on)
        over = (best.ended >= beams) & (best.score >= scores[:, 0] / (place + 1) ** penalty)
        best = best._replace(done=best.done | over)
        ids = texts.gather(1, on[..., None].expand(-1, -1, length))
        written, last = written.take((start + found.origin.gather(1, on)).flatten()), ids[..., place].flatten()
    return best.ids


def _found(scores: Float[Tensor, "B K"], likely: Float[Tensor, "B K C"], *, must_end: bool) -> Found:
    """The likeliest ways to go on."""
    if must_end:
        likely = torch.cat([likely[..., :1], torch.full_like(likely[..., 1:], -torch.inf)], 2)
    classes = likely.shape[2]
    totals, places = (scores[..., None] + likely).flatten(1).topk(min(2 * likely.shape[1], likely[0].numel()))
    return Found(totals, places // classes, places % classes + END)


def _best(best: Best, found: Found, texts: Int[Tensor, "B W L"], beams: int, divisor: float) -> Best:
    """Set aside what ends now, where the row is not done."""
    first = torch.arange(found.ids.shape[1], device=found.ids.device) < beams
    ends = (found.ids == END) & first & (found.scores > -torch.inf) & ~best.done[:, None]
    score, which = torch.where(ends, found.scores / divisor, -torch.inf).max(1)
    text = texts.gather(1, which[:, None, None].expand(-1, 1, texts.shape[2]))[:, 0]
    better = score > best.score
    return Best(torch.where(better[:, None], text, best.ids), torch.maximum(score, best.score), best.ended + ends.sum(1), best.done)
