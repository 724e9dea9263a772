"""Words in their order, read by gated recurrent units."""

from typing import Literal

from torch import nn

from mmtrain.batch import Text, Tokens
from mmtrain.encoder.recurrent import Recurrent
from mmtrain.encoder.text.word import Words
from mmtrain.option import Count, Dropout
from mmtrain.spec import TextSpec


class GRU(nn.Module):
    """Gated recurrent units over word vectors, by default in both directions; a token is the state at its word.

    `hidden` is the width of each direction, `embedding_dim` that of the word vectors; `spelling` and `buckets` as in `Words`.

    Source: Cho et al. 2014, section 2.3.
    """

    def __init__(
        self,
        spec: TextSpec,
        *,
        out_dim: Count = 128,
        embedding_dim: Count = 128,
        hidden: Count = 128,
        layers: Count = 1,
        bidirectional: bool = True,
        spelling: Literal["ngrams", "cnn"] = "ngrams",
        buckets: Count = 20000,
        dropout: Dropout = 0.1,
        word_dropout: Dropout = 0.0,
    ) -> None:
        super().__init__()
        self.out_dim = out_dim
        self.words = Words(spec, embedding_dim, word_dropout=word_dropout, spelling=spelling, buckets=buckets)
        self.layers = Recurrent(nn.GRU, embedding_dim, out_dim, hidden=hidden, layers=layers, bidirectional=bidirectional, dropout=dropout)

    def forward(self, inputs: Text) -> Tokens:
        """One token a word."""
        return Tokens(self.layers(self.words(inputs), inputs.mask), inputs.mask)
