"""A transformer that writes a text piece by piece, looking at a memory."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from mmtrain.transformer import Attention, perceptron, positions

START, END = 0, 1  # ids; those of the pieces follow, and last the unknown one

Keys = tuple[Float[Tensor, "R H _ W"], Float[Tensor, "R H _ W"]]  # of as many places as there are


@dataclass(frozen=True)
class Written:
    """What R texts under way were written with: each layer's keys of the memory and of the places so far; which tokens may be looked at."""

    memory: Sequence[Keys]
    places: Sequence[Keys]
    mask: Bool[Tensor, "R M"]

    def take(self, rows: Int[Tensor, " R"]) -> "Written":
        """Go on from these texts; each has to have the memory of the one in whose place it comes."""
        return Written(self.memory, [(key[rows], value[rows]) for key, value in self.places], self.mask)


class DecoderLayer(nn.Module):
    """Attention to the places before, attention to the memory, and a perceptron of four times the width; normalised before each."""

    def __init__(self, dim: int, *, heads: int, dropout: float) -> None:
        super().__init__()
        self.before_text, self.before_memory, self.before_perceptron = nn.LayerNorm(dim), nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.text = Attention(dim, heads=heads, dropout=dropout)
        self.memory = Attention(dim, heads=heads, dropout=dropout)
        self.perceptron = perceptron(dim, 4)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self, values: Float[Tensor, "R L D"], memory: Keys, mask: Bool[Tensor, "R M"], before: Keys | None = None
    ) -> tuple[Float[Tensor, "R L D"], Keys]:
        """The places as they go on, and the keys of all places. Without `before` these are the first L, each of which sees those up to
        itself; else one more, which sees all."""
        read = self.before_text(values)
        keys = self.text.keys(read)
        if before is not None:
            keys = (torch.cat([before[0], keys[0]], 2), torch.cat([before[1], keys[1]], 2))
        values = values + self.dropout(self.text.look(read, *keys, causal=before is None))
        values = values + self.dropout(self.memory.look(self.before_memory(values), *memory, mask))
        return values + self.dropout(self.perceptron(self.before_perceptron(values))), keys


class Decoder(nn.Module):
    """Logits of C classes for what follows each place of a text: its end, then the pieces.

    Ids are 0 for the start, c + 1 for class c, and C + 1 for a piece that train never saw, which can be read and not written. The logits
    begin at `prior`.

    Source: Vaswani et al. 2017, section 3; normalised before each part as in Xiong et al. 2020, the memory once for all layers.
    """

    def __init__(self, dim: int, prior: Float[Tensor, " C"], *, layers: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.classes = len(prior)
        self.pieces = nn.Embedding(self.classes + 2, dim)
        nn.init.normal_(self.pieces.weight, std=1 / math.sqrt(dim))
        self.memory = nn.LayerNorm(dim)
        self.layers = nn.ModuleList(DecoderLayer(dim, heads=heads, dropout=dropout) for _ in range(layers))
        self.normalisation = nn.LayerNorm(dim)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(dim, self.classes)
        with torch.no_grad():
            self.output.bias.copy_(prior)

    def forward(self, memory: Float[Tensor, "R M D"], mask: Bool[Tensor, "R M"], ids: Int[Tensor, "R L"]) -> Float[Tensor, "R L C"]:
        """Logits of what follows each of the ids, the first of which is the start."""
        values = self._read(ids, 0)
        for layer, keys in zip(self.layers, self._keys(memory), strict=True):
            values, _ = layer(values, keys, mask)
        return self.output(self.normalisation(values))

    def begin(self, memory: Float[Tensor, "R M D"], mask: Bool[Tensor, "R M"]) -> Written:
        """Nothing is written yet."""
        keys = self._keys(memory)
        return Written(keys, [(key[:, :, :0], value[:, :, :0]) for key, value in keys], mask)

    def step(self, written: Written, last: Int[Tensor, " R"], place: int) -> tuple[Float[Tensor, "R C"], Written]:
        """Logits of what follows the id that stands last, at this place; equal to those of `forward`, but each place is read once."""
        values, places = self._read(last[:, None], place), []
        for layer, memory, before in zip(self.layers, written.memory, written.places, strict=True):
            values, keys = layer(values, memory, written.mask, before)
            places.append(keys)
        return self.output(self.normalisation(values))[:, 0], Written(written.memory, places, written.mask)

    def _keys(self, memory: Float[Tensor, "R M D"]) -> list[Keys]:
        normalised = self.memory(memory)
        return [layer.memory.keys(normalised) for layer in self._layers()]

    def _layers(self) -> list[DecoderLayer]:
        return [layer for layer in self.layers if isinstance(layer, DecoderLayer)]

    def _read(self, ids: Int[Tensor, "R L"], place: int) -> Float[Tensor, "R L D"]:
        """Vectors of ids that stand from this place on."""
        dim = self.pieces.embedding_dim
        places = positions(place + ids.shape[1], dim, ids.device)[place:]
        return self.dropout(self.pieces(ids) * math.sqrt(dim) + places)
