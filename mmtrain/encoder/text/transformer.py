"""Words that look at each other."""

import math
from typing import Literal

from torch import nn

from mmtrain.batch import Text, Tokens
from mmtrain.encoder.text.word import Words
from mmtrain.option import Count, Dropout
from mmtrain.spec import TextSpec
from mmtrain.transformer import Transformer as Layers
from mmtrain.transformer import positions


class Transformer(nn.Module):
    """Self-attention over word vectors to which their places were added; `out_dim` is the width of all layers, `heads` a divisor of it.

    `expansion` is how many times wider each layer's perceptron is; `spelling` and `buckets` as in `Words`.

    Source: Vaswani et al. 2017, sections 3.1 to 3.5; layers as in `mmtrain.transformer`.

    Raises:
        ConfigError: `heads` does not divide `out_dim`.
    """

    def __init__(
        self,
        spec: TextSpec,
        *,
        out_dim: Count = 128,
        layers: Count = 2,
        heads: Count = 4,
        expansion: Count = 4,
        spelling: Literal["ngrams", "cnn"] = "ngrams",
        buckets: Count = 20000,
        dropout: Dropout = 0.1,
        word_dropout: Dropout = 0.0,
    ) -> None:
        super().__init__()
        self.out_dim = out_dim
        self.words = Words(spec, out_dim, word_dropout=word_dropout, spelling=spelling, buckets=buckets)
        self.dropout = nn.Dropout(dropout)
        self.layers = Layers(out_dim, layers=layers, heads=heads, expansion=expansion, dropout=dropout)

    @property
    def stages(self) -> list[nn.Module]:
        """The words' vectors, then the layers, from input to output."""
        return [self.words, *self.layers.stages]

    def forward(self, inputs: Text) -> Tokens:
        """One token a word."""
        words = self.words(inputs)
        places = positions(words.shape[1], self.out_dim, words.device)
        values = self.layers(self.dropout(words * math.sqrt(self.out_dim) + places), inputs.mask)
        return Tokens(values, inputs.mask)
