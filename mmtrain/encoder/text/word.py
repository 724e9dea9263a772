"""The vectors of words that every text encoder starts from."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from mmtrain.batch import Text
from mmtrain.encoder.text.spelling import speller
from mmtrain.spec import TextSpec

UNKNOWN = 1  # the id of a word that is not in the vocabulary
START = 0.1  # standard deviation of the first vectors


class Words(nn.Module):
    """One vector a word, 0 for padding: that of its id, and where the modality keeps letters also that of its spelling, added.

    `spelling` reads the letters: `ngrams` looks up the word's n-grams in a table of `buckets` vectors, `cnn` is a small convolution.
    While training, a word is taken for the unknown word with probability `word_dropout`, which also teaches the unknown word's vector.
    Its spelling stays: such a word is then what an unknown one will be, and the spelling learns to stand in for it.
    Vectors start small: a rare word is seen in few steps, and each moves a weight by about the learning rate, whatever its size.
    """

    def __init__(
        self, spec: TextSpec, dim: int, *, word_dropout: float, spelling: Literal["ngrams", "cnn"] = "ngrams", buckets: int = 20000
    ) -> None:
        super().__init__()
        self.word_dropout = word_dropout
        self.table = nn.Embedding(spec.vocabulary, dim, padding_idx=0)
        self.spelling = speller(spelling, spec.letters, dim, buckets=buckets) if spec.letters else None
        with torch.no_grad():
            self.table.weight *= START

    def forward(self, inputs: Text) -> Float[Tensor, "B L D"]:
        """Vectors of the words."""
        ids = torch.where(inputs.mask, inputs.ids, 0)
        if self.training and self.word_dropout > 0:
            dropped = torch.rand(ids.shape, device=ids.device) < self.word_dropout
            ids = torch.where(inputs.mask & dropped, UNKNOWN, ids)
        if self.spelling is None:
            return self.table(ids)
        return self.table(ids) + self.spelling(torch.where(inputs.mask[:, :, None], inputs.letters, 0))
