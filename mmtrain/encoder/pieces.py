"""From a token for each piece of a word to a token for each word."""

from dataclasses import replace

import torch
from jaxtyping import Int
from torch import Tensor

from mmtrain.batch import Tokens


def by_word(tokens: Tokens, words: Int[Tensor, "B L"]) -> Tokens:
    """The mean of each word's tokens, at the word's place in the row; words that left no token are masked, at their places.

    `words` numbers from 1 the word that each token belongs to; tokens of none (0), as the marks of a pretrained model, are left out.
    There are as many places as tokens, since a row has no more words; a size that depends on the words would have a GPU wait.
    """
    place = torch.where(tokens.mask, words, 0)
    rows, length, width = tokens.values.shape
    counts = tokens.values.new_zeros(rows, length + 1).scatter_add(1, place, tokens.mask.to(tokens.values.dtype))
    sums = tokens.values.new_zeros(rows, length + 1, width)
    sums = sums.scatter_add(1, place[:, :, None].expand(-1, -1, width), torch.where(tokens.mask[:, :, None], tokens.values, 0))
    mask = counts[:, 1:] > 0
    values = torch.where(mask[:, :, None], sums[:, 1:] / counts[:, 1:, None].clamp(min=1), 0)
    return replace(tokens, values=values, mask=mask)
