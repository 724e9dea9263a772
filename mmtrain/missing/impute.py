"""What is absent is predicted from what is present."""

from collections.abc import Mapping
from dataclasses import replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from mmtrain.batch import Tokens
from mmtrain.missing.dropout import ModalityDropout
from mmtrain.missing.stand_in import Supplied, pooled, supply
from mmtrain.option import Count, Dropout, NonNegative

SMALLEST = 1e-8  # square of the real tokens that a difference is held against


class Impute(nn.Module):
    """Let one token that is predicted from the present modalities stand in for an absent one.

    Each present modality's mean token is mapped to `hidden_dim` numbers; their mean and an embedding of the modality that is
    looked for go through a layer that all share and a linear map of the target's own. It is trained by the tasks, where it
    stands in, and by a penalty: in training rows that have the modality and another one, it is predicted from the others, and
    the squared difference to its real mean token (detached), relative to that token's own square, both summed over the rows,
    joins the loss `reconstruction` times, once a modality. `dropout` is the probability with which a modality is taken away
    from a training row; a row keeps at least one. What was taken is known, and so serves as a target of the penalty, but
    nothing is predicted from it.

    Relative, because the size of tokens is an encoder's own and changes as it learns: 1 is what zeros would cost.

    Source: the idea of Ma et al. 2021 (SMIL) and Zhao et al. 2021 (missing modality imagination network). SMIL learns to weigh
    cluster centres under meta-learning, and the imagination network is a cascade of autoencoders with a cycle; ours regresses
    one token, with one small network for all combinations of modalities.
    """

    def __init__(
        self, dims: Mapping[str, int], *, hidden_dim: Count = 128, reconstruction: NonNegative = 1.0, dropout: Dropout = 0.0
    ) -> None:
        super().__init__()
        self.dropout = ModalityDropout(dropout)
        self.reconstruction = reconstruction
        self.names = sorted(dims)
        # lists: in a ModuleDict, a modality could not be called "values" or "type"
        self.read = nn.ModuleList(nn.Linear(dims[name], hidden_dim) for name in self.names)
        self.wanted = nn.Embedding(len(dims), hidden_dim)
        self.shared = nn.Sequential(nn.LayerNorm(hidden_dim), nn.Linear(hidden_dim, hidden_dim), nn.LayerNorm(hidden_dim), nn.GELU())
        self.write = nn.ModuleList(nn.Linear(hidden_dim, dims[name]) for name in self.names)

    def forward(self, tokens: Mapping[str, Tokens], present: Mapping[str, Bool[Tensor, " B"]]) -> Supplied:
        """Every modality present in every row that has any; in training with the penalty `reconstruction`."""
        real = [pooled(tokens[name], present[name]) for name in self.names]
        tokens, present = self.dropout(tokens, present)
        read = torch.stack([layer(vector) for layer, (vector, _) in zip(self.read, real, strict=True)])
        known = torch.stack([there & present[name] for name, (_, there) in zip(self.names, real, strict=True)])
        places = torch.arange(len(known), device=known.device)[:, None]
        others = [known & (places != place) for place in range(len(known))]
        predicted = [self._predict(place, read, others[place]) for place in range(len(known))]
        supplied, there, left = supply(tokens, present, dict(zip(self.names, predicted, strict=True)))
        filled = dict(supplied)
        if self.training and self.reconstruction > 0:
            for place, name in enumerate(self.names):
                penalty = self.reconstruction * _difference(predicted[place], *real[place], others[place].any(0))
                filled[name] = replace(filled[name], penalties={**filled[name].penalties, "reconstruction": penalty})
        return filled, there, left

    def _predict(self, place: int, read: Float[Tensor, "M B H"], known: Bool[Tensor, "M B"]) -> Float[Tensor, "B D"]:
        """The token of the modality at this place of the names, from what is known of the others."""
        mean = torch.where(known[..., None], read, 0.0).sum(0) / known.sum(0).clamp(min=1)[:, None]
        return self.write[place](self.shared(mean + self.wanted.weight[place]))


def _difference(
    predicted: Float[Tensor, "B D"], real: Float[Tensor, "B D"], there: Bool[Tensor, " B"], others: Bool[Tensor, " B"]
) -> Float[Tensor, ""]:
    """Squares of the difference over squares of the real tokens, in the rows that have the modality and another one; 0 where none has."""
    rows = (there & others)[:, None]
    difference = torch.where(rows, predicted.float() - real.detach(), 0.0).square().sum()
    return difference / torch.where(rows, real.detach(), 0.0).square().sum().clamp(min=SMALLEST)
