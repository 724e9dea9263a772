"""Words in their order, read by a recurrent network."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from mmtrain.batch import Text, Tokens
from mmtrain.encoder.text.word import Words
from mmtrain.option import Count, Dropout
from mmtrain.spec import TextSpec


class GRU(nn.Module):
    """Gated recurrent units over word vectors, by default in both directions; a token is the state at its word.

    `hidden` is the width of each direction, `embedding_dim` that of the word vectors.

    Source: Cho et al. 2014, section 2.3; both directions as in Schuster and Paliwal 1997.
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
        dropout: Dropout = 0.1,
        word_dropout: Dropout = 0.0,
    ) -> None:
        super().__init__()
        self.out_dim = out_dim
        self.words = Words(spec, embedding_dim, word_dropout=word_dropout)
        width = hidden * (2 if bidirectional else 1)
        in_dims = [embedding_dim] + [width] * (layers - 1)
        self.forwards = nn.ModuleList(nn.GRU(in_dim, hidden, batch_first=True) for in_dim in in_dims)
        self.backwards = nn.ModuleList(nn.GRU(in_dim, hidden, batch_first=True) for in_dim in in_dims) if bidirectional else None
        self.dropout = nn.Dropout(dropout)
        self.readout = nn.Linear(width, out_dim)

    def forward(self, inputs: Text) -> Tokens:
        """One token a word."""
        values = self.dropout(self.words(inputs.ids, inputs.mask))
        mirrored = _mirrored(inputs.mask)
        for number, layer in enumerate(self.forwards):
            states = layer(values)[0]
            if self.backwards is not None:
                # Each row is turned around within its own length: the padding stays behind the words, where no state depends on it.
                states = torch.cat([states, _turned(self.backwards[number](_turned(values, mirrored))[0], mirrored)], -1)
            values = self.dropout(states)
        return Tokens(torch.where(inputs.mask[:, :, None], self.readout(values), 0), inputs.mask)


def _mirrored(mask: Tensor) -> Int[Tensor, "B L"]:
    """For each place the place of the same word when the row is read from its end; padding stays where it is."""
    places = torch.arange(mask.shape[1], device=mask.device)
    return torch.where(mask, mask.sum(1, keepdim=True) - 1 - places, places)


def _turned(values: Float[Tensor, "B L D"], places: Int[Tensor, "B L"]) -> Float[Tensor, "B L D"]:
    return values.gather(1, places[:, :, None].expand_as(values))
