"""Adam with decoupled weight decay.  Source: Loshchilov and Hutter 2019, algorithm 2; torch's fused implementation."""

from collections.abc import Mapping

import torch
from torch import nn

from mmtrain.optimizer.groups import parameter_groups
from mmtrain.option import Dropout, Fraction, NonNegative, Positive


class AdamW(torch.optim.AdamW):
    """AdamW over the parameter groups that `lr_factor` asks for.

    `lr_factor` multiplies the learning rate of a part: `optimizer.lr_factor.encoder.image=0.1`, by modality name or kind;
    also `fusion`, `sharing`, `tasks.<name>`. `layer_decay` slows an encoder the more, the closer to the input:
    `optimizer.layer_decay.encoder.image=0.8` multiplies the rate of each stage by 0.8 once more than that of the next.
    `beta1` and `beta2` are the decay rates of the two moments.
    """

    def __init__(
        self,
        model: nn.Module,
        kinds: Mapping[str, str],
        *,
        lr: Positive = 1e-3,
        weight_decay: NonNegative = 0.01,
        beta1: Dropout = 0.9,
        beta2: Dropout = 0.999,
        lr_factor: dict[str, NonNegative | dict[str, NonNegative]] | None = None,
        layer_decay: dict[str, Fraction | dict[str, Fraction]] | None = None,
    ) -> None:
        groups = parameter_groups(model, kinds, lr=lr, weight_decay=weight_decay, lr_factor=lr_factor, layer_decay=layer_decay)
        super().__init__(groups, lr=lr, betas=(beta1, beta2), fused=True)
