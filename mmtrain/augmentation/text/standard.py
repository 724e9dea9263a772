"""Texts with words left out."""

import torch
from torch import nn

from mmtrain.batch import Text
from mmtrain.option import Dropout
from mmtrain.spec import TextSpec


class Standard(nn.Module):
    """Take each word out with probability `removal`; the others close up, and one at least stays.

    The first and last piece of a text that a pretrained tokenizer has cut stay: they are its marks of beginning and end. An encoder's
    `word_dropout` is something else: there a word becomes the unknown one and keeps its place.

    Source: Wei and Zou 2019, section 2, "random deletion".
    """

    def __init__(self, spec: TextSpec, *, removal: Dropout = 0.1) -> None:
        super().__init__()
        self.removal = removal
        self.marked = spec.tokenizer is not None

    def forward(self, inputs: Text) -> Text:
        """Shorter texts, padded to the same length."""
        mask = inputs.mask
        draw = torch.where(mask, torch.rand(mask.shape, device=mask.device), -1)
        places, last = torch.arange(mask.shape[1], device=mask.device), mask.sum(1, keepdim=True) - 1
        marks = mask & ((places == 0) | (places == last)) if self.marked else torch.zeros_like(mask)
        draw = torch.where(marks, -1, draw)  # the one that always stays is a word
        kept = marks | (mask & ((draw >= self.removal) | (draw == draw.amax(1, keepdim=True))))
        order = (~kept).to(torch.uint8).argsort(dim=1, stable=True)
        ids = torch.where(kept, inputs.ids, 0).gather(1, order)
        letters = torch.where(kept[:, :, None], inputs.letters, 0).gather(1, order[:, :, None].expand_as(inputs.letters))
        return Text(ids, kept.gather(1, order), letters, torch.where(kept, inputs.words, 0).gather(1, order))
