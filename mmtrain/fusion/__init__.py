"""Fusion: the tokens of all modalities in, one or more views out.

    Fusion(in_dims: Mapping[str, int], *, out_dim=128, ...)         in_dims[m] is the width D of modality m's tokens
    .views: list[str], .out_dim: int                                what forward gives, known before
    single_views = True                                             class constant of a fusion with a view for each modality, and no other
    forward(tokens {m: Tokens (B, L, D)}, present {m: (B,) bool}) -> {view: Fused(vector (B, out_dim), tokens, present (B,))}

A view is one stream of predictions. All fusions but `late` have one, `fused`; it can speak for a row that has at least one modality.
`late` has a view for each modality, which sees nothing else and speaks for the rows that have it; `Hybrid` puts these beside `fused`.

What every fusion promises (`tests/fusion/test_laws.py` holds each choice in `configs/fusion` to it):

* what stands in an absent modality's tokens (zeros, noise, infinities, NaN) changes no output and no gradient, to the bit;
* other rows of the batch and padding change nothing but rounding: normalisation is per row, never over the batch;
* a modality that no row has (L = 0), a row without any modality, a batch of one and a single modality are ordinary input;
* the order in which modalities are named changes nothing;
* it can learn what only two modalities tell together, `late` aside (`tests/fusion/test_learning.py`).

To add one: a class as above in `mmtrain/fusion/<name>.py`, its export here, `configs/fusion/<name>.yaml` and
`configs/model/fusion_<name>.yaml`; the laws then test it by themselves, its values need a `tests/fusion/test_<name>.py`.
"""

from mmtrain.fusion.attention_pool import AttentionPool
from mmtrain.fusion.bottleneck import Bottleneck
from mmtrain.fusion.concat import Concat
from mmtrain.fusion.cross_attention import CrossAttention
from mmtrain.fusion.early import Early
from mmtrain.fusion.embrace import Embrace
from mmtrain.fusion.experts import Experts
from mmtrain.fusion.film import FiLM
from mmtrain.fusion.gated import Gated
from mmtrain.fusion.gmu import GMU
from mmtrain.fusion.hadamard import Hadamard
from mmtrain.fusion.late import Late
from mmtrain.fusion.low_rank import LowRank
from mmtrain.fusion.max import Max
from mmtrain.fusion.mean import Mean
from mmtrain.fusion.mfb import MFB
from mmtrain.fusion.mlb import MLB
from mmtrain.fusion.multiplicative import Multiplicative
from mmtrain.fusion.mutan import Mutan
from mmtrain.fusion.perceiver import Perceiver
from mmtrain.fusion.product import Product
from mmtrain.fusion.sum import Sum
from mmtrain.fusion.tensor import TensorFusion
from mmtrain.fusion.transformer import SingleStream
from mmtrain.fusion.weighted import Weighted

__all__ = [
    "GMU",
    "MFB",
    "MLB",
    "AttentionPool",
    "Bottleneck",
    "Concat",
    "CrossAttention",
    "Early",
    "Embrace",
    "Experts",
    "FiLM",
    "Gated",
    "Hadamard",
    "Late",
    "LowRank",
    "Max",
    "Mean",
    "Multiplicative",
    "Mutan",
    "Perceiver",
    "Product",
    "SingleStream",
    "Sum",
    "TensorFusion",
    "Weighted",
]
