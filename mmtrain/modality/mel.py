"""The mel scale: bands as wide as the ear's, for a power spectrum."""

import torch
from jaxtyping import Float
from torch import Tensor


def mel_matrix(bands: int, sample_rate: int, *, at_least: int) -> Float[Tensor, "bins bands"]:
    """Weight of every frequency bin in every band: triangles of height 1, evenly spaced in mel from 0 to half the rate.

    mel = 2595 log10(1 + hertz / 700). The bins are those of the shortest real FFT whose length is a power of two, holds `at_least`
    samples and leaves no band without a bin.

    Source: Young et al. 2006, The HTK Book, section 5.4 (its formula 5.13 in natural logarithms).
    """
    top = 2595 * torch.log10(torch.tensor(1 + sample_rate / 2 / 700, dtype=torch.float64))
    edges = 700 * (10 ** (torch.linspace(0, 1, bands + 2, dtype=torch.float64) * top / 2595) - 1)
    low, middle, high = edges[:-2], edges[1:-1], edges[2:]
    bins = 2
    while True:
        bins *= 2
        hertz = torch.linspace(0, sample_rate / 2, bins + 1, dtype=torch.float64)[:, None]
        weights = torch.minimum((hertz - low) / (middle - low), (high - hertz) / (high - middle)).clamp(min=0)
        if 2 * bins >= at_least and (weights > 0).any(0).all():
            return weights.float()
