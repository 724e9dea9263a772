"""A prediction for each word of a text: the head that makes it and the loss that takes it.

Class 0 is "no word": a word that was not read, as padding or an absent text, is of it with certainty, one that was read never. So no mask
has to travel with the predictions, and zeros behind a shorter batch mean what they should.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from mmtrain.batch import Fused
from mmtrain.task.head import ClassHead

NEVER = -1e4  # a logit that leaves nothing to a class, and stays finite under any arithmetic


class WordHead(nn.Module):
    """Layers of the sizes `hidden` over each word's token beside the fused vector, then a logit a class, "no word" first."""

    nothing: Float[Tensor, " _"]

    def __init__(
        self, in_dim: int, token_dim: int, prior: Float[Tensor, " C"], *, modality: str, hidden: Sequence[int], dropout: float
    ) -> None:
        super().__init__()
        self.modality = modality
        self.head = ClassHead(in_dim + token_dim, prior, hidden=hidden, dropout=dropout)
        self.register_buffer("nothing", functional.pad(torch.full_like(prior, NEVER), (1, 0)), persistent=False)

    def forward(self, vector: Float[Tensor, "B D"], fused: Fused) -> Float[Tensor, "B L C"]:
        """Predict each word from its own token and from what the fusion made of the whole row."""
        tokens = fused.tokens[self.modality]
        values = tokens.values.float()
        beside = vector[:, None].expand(-1, values.shape[1], -1)
        logits = functional.pad(self.head(torch.cat([values, beside], 2), fused), (1, 0), value=NEVER)
        return torch.where(tokens.mask[:, :, None], logits, self.nothing)


class WordLoss(nn.Module):
    """The mean of a loss of classes over the words of each row; words without a class, and words that were not read, are left out."""

    def __init__(self, loss: nn.Module) -> None:
        super().__init__()
        self.loss = loss

    def forward(self, prediction: Float[Tensor, "K L C"], target: Int[Tensor, "K M"]) -> Float[Tensor, " K"]:
        """Loss of each row, 0 where no word of it has one."""
        length = min(prediction.shape[1], target.shape[1])
        prediction, target = prediction[:, :length], target[:, :length]
        known = (target >= 0) & (prediction[:, :, 0] <= NEVER / 2)
        # what stands at other places is replaced before any arithmetic: multiplied by 0, what is not finite would spread
        logits = torch.where(known[:, :, None], prediction[:, :, 1:], 0).flatten(0, 1)
        losses = self.loss(logits, torch.where(known, target, 0).flatten()).view(known.shape)
        return torch.where(known, losses, 0).sum(1) / known.sum(1).clamp(min=1)
