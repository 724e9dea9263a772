"""The convolution block of the image and the audio encoder, and its batch normalisation that knows of padding."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional


class MaskedBatchNorm(nn.Module):
    """Batch normalisation per channel, over the places where `mask` is true.

    With fewer than two values a channel the running statistics stand in for those of the batch: one value has no variance.

    Source: Ioffe and Szegedy 2015, algorithm 1; we leave masked places out of both sums.
    """

    mean: Float[Tensor, " C"]
    variance: Float[Tensor, " C"]

    def __init__(self, channels: int, *, momentum: float = 0.1, epsilon: float = 1e-5) -> None:
        super().__init__()
        self.momentum, self.epsilon = momentum, epsilon
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("variance", torch.ones(channels))

    def forward(self, values: Float[Tensor, "B C H W"], mask: Bool[Tensor, "B 1 H 1"] | None = None) -> Float[Tensor, "B C H W"]:
        """Normalise; `mask` None means that every place counts. What comes out at masked places is arbitrary."""
        if mask is None or not self.training:
            several = values.numel() >= 2 * values.shape[1]
            return functional.batch_norm(
                values, self.mean, self.variance, self.weight, self.bias, self.training and several, self.momentum, self.epsilon
            )
        mean, variance = self._statistics(values, mask)
        scale = self.weight * (variance + self.epsilon).rsqrt()
        shift = self.bias - mean * scale
        return torch.addcmul(shift[:, None, None], values, scale[:, None, None])

    def _statistics(self, values: Tensor, mask: Tensor) -> tuple[Float[Tensor, " C"], Float[Tensor, " C"]]:
        """Mean and variance of the unmasked places; moves the running statistics towards them."""
        count = mask.sum() * values.shape[3]
        kept = torch.where(mask, values.float(), 0)
        mean = kept.sum((0, 2, 3)) / count
        variance = torch.where(mask, values - mean[:, None, None], 0).square().sum((0, 2, 3)) / count
        several = count > 1
        with torch.no_grad():
            momentum = self.momentum * several
            self.mean.lerp_(mean, momentum)
            self.variance.lerp_(variance * count / (count - 1).clamp(min=1), momentum)
        return torch.where(several, mean, self.mean), torch.where(several, variance, self.variance)


class Convolution(nn.Module):
    """3x3 convolution, normalisation, ReLU; zeros surround the map, and masked places are such zeros."""

    def __init__(self, channels_in: int, channels_out: int, *, stride: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(channels_in, channels_out, 3, stride, padding=1, bias=False)
        self.normalisation = MaskedBatchNorm(channels_out)

    def forward(self, values: Float[Tensor, "B C H W"], mask: Bool[Tensor, "B 1 H2 1"] | None = None) -> Float[Tensor, "B D H2 W2"]:
        """`mask` is that of what comes out; what goes in must be 0 where masked."""
        values = functional.relu(self.normalisation(self.convolution(values), mask))
        return values if mask is None else torch.where(mask, values, 0)
