"""Words and where they stand, each by itself."""

import math
from typing import ClassVar, Literal

import torch
from torch import nn

from mmtrain.batch import Text, Tokens
from mmtrain.encoder.text.word import Words
from mmtrain.option import Count, Dropout
from mmtrain.spec import TextSpec
from mmtrain.transformer import positions


class Embedding(nn.Module):
    """A word's vector plus that of its place, and one linear map: nothing mixes the words, which is left to a fusion that looks at tokens.

    `embedding_dim` is the width of the vectors; `spelling` and `buckets` as in `Words`.

    Source: Vaswani et al. 2017, sections 3.4 and 3.5.
    """

    light: ClassVar[bool] = True

    def __init__(
        self,
        spec: TextSpec,
        *,
        out_dim: Count = 128,
        embedding_dim: Count = 128,
        spelling: Literal["ngrams", "cnn"] = "ngrams",
        buckets: Count = 20000,
        dropout: Dropout = 0.1,
        word_dropout: Dropout = 0.0,
    ) -> None:
        super().__init__()
        self.out_dim = out_dim
        self.words = Words(spec, embedding_dim, word_dropout=word_dropout, spelling=spelling, buckets=buckets)
        self.dropout = nn.Dropout(dropout)
        self.layer = nn.Linear(embedding_dim, out_dim)

    def forward(self, inputs: Text) -> Tokens:
        """One token a word."""
        words = self.words(inputs)
        places = positions(words.shape[1], words.shape[2], words.device)
        values = self.layer(self.dropout(words * math.sqrt(words.shape[2]) + places))
        return Tokens(torch.where(inputs.mask[:, :, None], values, 0), inputs.mask)
