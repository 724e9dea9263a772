"""The table of word vectors that every text encoder starts from."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from mmtrain.spec import TextSpec

UNKNOWN = 1  # the id of a word that is not in the vocabulary
START = 0.1  # standard deviation of the first vectors


class Words(nn.Module):
    """One vector a word id, 0 for padding.

    While training, a word is taken for the unknown word with probability `word_dropout`, which also teaches the unknown word's vector.
    Vectors start small: a rare word is seen in few steps, and each moves a weight by about the learning rate, whatever its size.
    """

    def __init__(self, spec: TextSpec, dim: int, *, word_dropout: float) -> None:
        super().__init__()
        self.word_dropout = word_dropout
        self.table = nn.Embedding(spec.vocabulary, dim, padding_idx=0)
        with torch.no_grad():
            self.table.weight *= START

    def forward(self, ids: Int[Tensor, "B L"], mask: Bool[Tensor, "B L"]) -> Float[Tensor, "B L D"]:
        """Vectors of the words."""
        ids = torch.where(mask, ids, 0)
        if self.training and self.word_dropout > 0:
            dropped = torch.rand(ids.shape, device=ids.device) < self.word_dropout
            ids = torch.where(mask & dropped, UNKNOWN, ids)
        return self.table(ids)
