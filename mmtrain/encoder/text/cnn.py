"""Words and their neighbours, read by a convolution."""

from typing import Literal

import torch
from torch import nn
from torch.nn import functional

from mmtrain.batch import Text, Tokens
from mmtrain.encoder.text.word import Words
from mmtrain.option import Count, Dropout
from mmtrain.spec import TextSpec


class CNN(nn.Module):
    """Convolutions over windows of one word, of two, up to `widest` words, side by side; a token is what they find around its word.

    The windows share out `out_dim` evenly. No layer follows, so that a fusion that takes the maximum over tokens sees of each pattern
    the strongest place, as the source does. `embedding_dim` is the width of the word vectors; `spelling` and `buckets` as in `Words`.

    Source: Kim 2014, section 2, with windows of 1 to 3 words for 3 to 5.
    """

    def __init__(
        self,
        spec: TextSpec,
        *,
        out_dim: Count = 128,
        embedding_dim: Count = 128,
        widest: Count = 3,
        spelling: Literal["ngrams", "cnn"] = "ngrams",
        buckets: Count = 20000,
        dropout: Dropout = 0.1,
        word_dropout: Dropout = 0.0,
    ) -> None:
        super().__init__()
        self.out_dim = out_dim
        self.words = Words(spec, embedding_dim, word_dropout=word_dropout, spelling=spelling, buckets=buckets)
        shares = [out_dim // widest + (width <= out_dim % widest) for width in range(1, widest + 1)]
        self.windows = nn.ModuleList(nn.Conv1d(embedding_dim, share, width) for width, share in enumerate(shares, 1) if share)
        self.dropout = nn.Dropout(dropout)

    def forward(self, inputs: Text) -> Tokens:
        """One token a word; beyond the row's ends there are zeros."""
        words = self.dropout(self.words(inputs)).transpose(1, 2)
        found = [window(functional.pad(words, ((width - 1) // 2, width // 2))) for width, window in enumerate(self.windows, 1)]
        values = functional.relu(torch.cat(found, 1)).transpose(1, 2)
        return Tokens(torch.where(inputs.mask[:, :, None], values, 0), inputs.mask)
