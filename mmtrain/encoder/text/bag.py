"""Words without their order."""

from typing import Literal

import torch
from torch import nn

from mmtrain.batch import Text, Tokens
from mmtrain.encoder.text.word import Words
from mmtrain.option import Count, Dropout
from mmtrain.spec import TextSpec


class Bag(nn.Module):
    """A learned vector a word; a fusion that averages its tokens makes them a bag of words.

    With `embedding_dim`, the table holds vectors of that width (fewer parameters for a large vocabulary), which one linear layer brings
    to `out_dim`. `spelling` and `buckets` as in `Words`.

    Source: Joulin et al. 2017 (fastText), section 2; n-grams of letters where the modality keeps letters.
    """

    def __init__(
        self,
        spec: TextSpec,
        *,
        out_dim: Count = 128,
        embedding_dim: Count | None = None,
        spelling: Literal["ngrams", "cnn"] = "ngrams",
        buckets: Count = 20000,
        dropout: Dropout = 0.1,
        word_dropout: Dropout = 0.0,
    ) -> None:
        super().__init__()
        self.out_dim = out_dim
        self.words = Words(spec, embedding_dim or out_dim, word_dropout=word_dropout, spelling=spelling, buckets=buckets)
        self.layer = nn.Identity() if embedding_dim is None else nn.Linear(embedding_dim, out_dim)
        self.dropout = nn.Dropout(dropout)

    def forward(self, inputs: Text) -> Tokens:
        """One token a word."""
        values = self.layer(self.dropout(self.words(inputs)))
        return Tokens(torch.where(inputs.mask[:, :, None], values, 0), inputs.mask)
