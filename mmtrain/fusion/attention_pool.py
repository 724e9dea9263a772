"""Fusion by attention over the modalities."""

from collections.abc import Mapping

from jaxtyping import Bool
from torch import Tensor, nn

from mmtrain.batch import FUSED, Fused, Tokens
from mmtrain.fusion.join import join_layers
from mmtrain.fusion.pool import Pool, shares
from mmtrain.option import Count, Dropout


class AttentionPool(nn.Module):
    """Score each modality's vector by itself, average the vectors with the softmax of the scores, and send the mean through a hidden layer.

    The score is w (tanh(V x) * sigmoid(U x)), with `attention_dim` rows in V and U, which all modalities share: they are a set. An
    absent modality has no weight.

    Source: Ilse et al. 2018, Attention-based Deep Multiple Instance Learning, equation 9 (gated attention).
    """

    def __init__(
        self,
        in_dims: Mapping[str, int],
        *,
        out_dim: Count = 128,
        attention_dim: Count = 64,
        pooled_dim: Count = 128,
        hidden_dim: Count = 256,
        dropout: Dropout = 0.0,
    ) -> None:
        super().__init__()
        self.views = [FUSED]
        self.out_dim = out_dim
        self.pool = Pool(in_dims, out_dim=pooled_dim)
        self.seen, self.gate = nn.Linear(pooled_dim, attention_dim), nn.Linear(pooled_dim, attention_dim)
        self.score = nn.Linear(attention_dim, 1, bias=False)  # a bias would leave the softmax as it is
        self.join = join_layers(pooled_dim, hidden_dim=hidden_dim, out_dim=out_dim, dropout=dropout)

    def forward(self, tokens: Mapping[str, Tokens], present: Mapping[str, Bool[Tensor, " B"]]) -> dict[str, Fused]:
        """The one view `fused`, which can speak for every row that has a modality."""
        vectors, there = self.pool(tokens, present)
        scores = self.score(self.seen(vectors).tanh() * self.gate(vectors).sigmoid()).squeeze(2)
        joined = (shares(scores, there)[..., None] * vectors).sum(1)
        return {FUSED: Fused(self.join(joined), tokens, there.any(1))}
