"""A word's vector from its letters: words that look alike get vectors that are alike, unknown words among them."""

from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

SHORTEST, LONGEST = 3, 5  # letters of an n-gram, boundary marks among them
START = 0.1  # standard deviation of the first vectors
OFFSET, PRIME, BITS = 2166136261, 16777619, 0xFFFFFFFF  # of the hash, which stays within 32 bits
LETTER_DIM, WINDOW, CHANNELS = 16, 3, 64  # of the convolution


class Ngrams(nn.Module):
    """The mean of the vectors of a word's n-grams of 3 to 5 letters, where the word's start and end count as letters.

    An n-gram finds its vector by a hash, so that different ones may share it. A word of a single letter has one n-gram.

    Source: Bojanowski et al. 2017, section 3.2, with 3 to 5 letters for 3 to 6; their hash (Fowler, Noll and Vo's), over letters for bytes.
    """

    def __init__(self, letters: int, dim: int, *, buckets: int) -> None:
        super().__init__()
        self.start, self.end, self.buckets = letters, letters + 1, buckets
        self.table = nn.EmbeddingBag(1 + buckets, dim, mode="mean", padding_idx=0)
        with torch.no_grad():
            self.table.weight.normal_(std=START)[0] = 0

    def forward(self, letters: Int[Tensor, "B L S"]) -> Float[Tensor, "B L D"]:
        """One vector a word, 0 where there are no letters."""
        return self.table(self._ngrams(letters).flatten(0, 1)).unflatten(0, letters.shape[:2])

    def _ngrams(self, letters: Int[Tensor, "B L S"]) -> Int[Tensor, "B L N"]:
        """Numbers of all n-grams of each word, from 1; 0 for those that reach beyond its end."""
        marked = functional.pad(letters, (0, 1))
        last = (letters > 0).sum(-1, keepdim=True)
        marked = functional.pad(torch.where(torch.arange(marked.shape[-1], device=letters.device) == last, self.end, marked), (1, 0))
        marked[..., 0] = self.start
        found, hashed = [], (OFFSET ^ marked) * PRIME & BITS
        for size in range(2, LONGEST + 1):
            further = marked[..., size - 1 :]
            hashed = (hashed[..., :-1] ^ further) * PRIME & BITS
            if size >= SHORTEST:
                found.append(torch.where((further > 0) & (last > 0), 1 + hashed % self.buckets, 0))
        return torch.cat(found, -1)


class LetterCNN(nn.Module):
    """A convolution over windows of three letters, its maximum over the word, brought to the width of a word's vector.

    Source: Ma and Hovy 2016, section 2.1; added to the word's vector where they concatenate, hence the linear map.
    """

    def __init__(self, letters: int, dim: int) -> None:
        super().__init__()
        self.table = nn.Embedding(letters, LETTER_DIM, padding_idx=0)
        self.convolution = nn.Linear(LETTER_DIM * WINDOW, CHANNELS)
        self.layer = nn.Linear(CHANNELS, dim)

    def forward(self, letters: Int[Tensor, "B L S"]) -> Float[Tensor, "B L D"]:
        """One vector a word, 0 where there are no letters."""
        there = letters > 0
        # As one product of matrices: on a CPU several times faster than torch's convolution over so short a length.
        windows = functional.pad(self.table(letters), (0, 0, WINDOW // 2, WINDOW // 2)).unfold(2, WINDOW, 1).flatten(3)
        highest = torch.where(there[..., None], self.convolution(windows), -torch.inf).amax(2)
        written = there.any(2)[..., None]
        return torch.where(written, self.layer(functional.relu(torch.where(written, highest, 0))), 0)


def speller(kind: Literal["ngrams", "cnn"], letters: int, dim: int, *, buckets: int) -> nn.Module:
    """What reads the letters of words."""
    return Ngrams(letters, dim, buckets=buckets) if kind == "ngrams" else LetterCNN(letters, dim)
