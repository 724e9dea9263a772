"""A mixture of experts over the joined modalities."""

from collections.abc import Mapping

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from mmtrain.batch import FUSED, Fused, Tokens
from mmtrain.errors import ConfigError, Problem
from mmtrain.fusion.join import join_layers
from mmtrain.fusion.pool import Pool, at_least_single, side_by_side
from mmtrain.option import Count, Dropout, NonNegative


class Experts(nn.Module):
    """A router sends each row's joined vectors to the `chosen` best of `experts` perceptrons and mixes what they say.

    The router is a linear map of all vectors, and a flag per modality, so that rows that lack a modality can go to experts of their
    own; weights are the softmax over the chosen ones. `balance` weighs the load-balancing loss: experts times the sum over
    experts of (share of rows sent there) x (mean probability), which is 1 when all are used alike.

    Source: Shazeer et al. 2017, section 2.1 (top-k gating, without noise); the load-balancing loss of Fedus et al. 2022 (Switch
    Transformer), equations 4 to 6, over the chosen experts; for modalities as in Han et al. 2024 (FuseMoE), section 3.2, joint router.

    Raises:
        ConfigError: more experts are to be chosen than there are.
    """

    def __init__(
        self,
        in_dims: Mapping[str, int],
        *,
        out_dim: Count = 128,
        experts: Count = 4,
        chosen: Count = 2,
        balance: NonNegative = 0.01,
        pooled_dim: Count = 128,
        hidden_dim: Count = 256,
        dropout: Dropout = 0.0,
    ) -> None:
        super().__init__()
        if chosen > experts:
            raise ConfigError(Problem("chosen", f"{chosen} of {experts} experts cannot be chosen", f"at most {experts}"))
        self.views = [FUSED]
        self.out_dim, self.chosen, self.balance = out_dim, chosen, balance
        self.pool = Pool(in_dims, out_dim=pooled_dim)
        joined_dim = len(in_dims) * (pooled_dim + 1)
        self.router = nn.Linear(joined_dim, experts)
        self.experts = nn.ModuleList(
            join_layers(joined_dim, hidden_dim=hidden_dim, out_dim=out_dim, dropout=dropout) for _ in range(experts)
        )

    def forward(self, tokens: Mapping[str, Tokens], present: Mapping[str, Bool[Tensor, " B"]]) -> dict[str, Fused]:
        """The one view `fused`, which can speak for every row that has a modality; its penalty is `balance`."""
        vectors, there = self.pool(tokens, present)
        joined, anyone = side_by_side(vectors, there), there.any(1)
        logits = at_least_single(self.router(joined))
        best = logits.topk(self.chosen, 1).indices
        sent = torch.zeros_like(logits, dtype=torch.bool).scatter(1, best, True)
        weights = torch.where(sent, logits, -torch.inf).softmax(1).to(joined.dtype)
        said = torch.stack([expert(joined) for expert in self.experts], 1)
        penalty = self.balance * _unevenness(sent, logits.softmax(1), anyone)
        return {FUSED: Fused((weights[..., None] * said).sum(1), tokens, anyone, {"balance": penalty})}


def _unevenness(sent: Bool[Tensor, "B E"], probabilities: Float[Tensor, "B E"], counts: Bool[Tensor, " B"]) -> Float[Tensor, ""]:
    """1 where all experts get the same rows and probability, more where some get most; over the rows that count."""
    sent, probabilities = sent & counts[:, None], torch.where(counts[:, None], probabilities, 0.0)
    shares = sent.sum(0) / sent.sum().clamp(min=1)
    return sent.shape[1] * (shares * probabilities.sum(0) / counts.sum().clamp(min=1)).sum()
