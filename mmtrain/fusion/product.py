"""A product of experts."""

from collections.abc import Mapping

import torch
from jaxtyping import Bool
from torch import Tensor, nn

from mmtrain.batch import FUSED, Fused, Tokens
from mmtrain.fusion.join import join_layers
from mmtrain.fusion.pool import Pool, at_least_single
from mmtrain.option import Count, Dropout, NonNegative

SUREST = 20.0  # of a log precision: a deviation of 0.00005


class Product(nn.Module):
    """Each modality gives a Gaussian over a common latent vector; multiplied with each other and with a standard normal, they give one.

    Precisions add up, and the mean is that of the experts' means, weighted by precision: who is sure counts more, and an absent expert
    has precision 0. While training, the latent vector is drawn from the product, afterwards it is the mean; it goes through a hidden
    layer. `kl` weighs the divergence of the product from the standard normal (in nats, mean over rows), added to the loss.

    Source: Wu and Goodman 2018, Multimodal Generative Models for Scalable Weakly-Supervised Learning, section 2.2, without a decoder.
    """

    def __init__(
        self,
        in_dims: Mapping[str, int],
        *,
        out_dim: Count = 128,
        latent_dim: Count = 128,
        kl: NonNegative = 1e-3,
        pooled_dim: Count = 128,
        hidden_dim: Count = 256,
        dropout: Dropout = 0.0,
    ) -> None:
        super().__init__()
        self.views = [FUSED]
        self.out_dim, self.kl = out_dim, kl
        self.pool = Pool(in_dims, out_dim=pooled_dim)
        self.experts = nn.ModuleList(nn.Linear(pooled_dim, 2 * latent_dim) for _ in in_dims)
        self.join = join_layers(latent_dim, hidden_dim=hidden_dim, out_dim=out_dim, dropout=dropout)

    def forward(self, tokens: Mapping[str, Tokens], present: Mapping[str, Bool[Tensor, " B"]]) -> dict[str, Fused]:
        """The one view `fused`, which can speak for every row that has a modality; its penalty is `kl`."""
        vectors, there = self.pool(tokens, present)
        anyone = there.any(1)
        given = at_least_single(torch.stack([expert(vector) for expert, vector in zip(self.experts, vectors.unbind(1), strict=True)], 1))
        means, log_precisions = given.chunk(2, -1)
        precisions = torch.where(there[..., None], log_precisions.clamp(-SUREST, SUREST).exp(), 0.0)
        precision = 1 + precisions.sum(1)
        mean = (precisions * means).sum(1) / precision
        divergence = 0.5 * (1 / precision + mean.square() - 1 + precision.log()).sum(1)
        penalty = self.kl * torch.where(anyone, divergence, 0.0).sum() / anyone.sum().clamp(min=1)
        latent = mean + torch.randn_like(mean) / precision.sqrt() if self.training else mean
        return {FUSED: Fused(self.join(latent), tokens, anyone, {"kl": penalty})}
