"""A mixture of experts whose gates choose few of them, and learn which by gradients."""

from collections.abc import Sequence
from functools import reduce
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from mmtrain.batch import Gate
from mmtrain.option import Count, Dropout, NonNegative, Positive
from mmtrain.sharing.experts import Experts, mixture, numbered

EPSILON = 1e-6  # a selector that has chosen gives some experts exactly 0, whose logarithm is none


class DSelectK(nn.Module):
    """As `MMoE`, with gates that choose at most `chosen` of the experts for each row, and yet have a gradient everywhere.

    A gate has `chosen` selectors. Each writes the number of an expert in binary digits, every digit a smooth step, `width` wide, of a
    linear map of the fused vector, so that it becomes exactly 0 or 1; an expert's weight is the product over its digits. A softmax on
    the vector weighs the selectors. `entropy` weighs the sum of the selectors' entropies, a row's mean, which makes them decide.

    Balancing cuts at what the experts said, as in `MMoE`.

    Source: Hazimeh et al. 2021, DSelect-k, the gate that depends on the example, with its entropy regularizer; the smooth step is that of
    Hazimeh et al. 2020, The Tree Ensemble Layer. The random start and the logarithm of p + 1e-6 are those of the authors' code.
    The number of experts is a power of two, so that their penalty for codes without an expert is not needed.
    """

    def __init__(
        self,
        in_dim: int,
        tasks: Sequence[str],
        *,
        out_dim: Count = 128,
        experts: Literal[2, 4, 8, 16, 32, 64] = 4,
        chosen: Count = 2,
        entropy: NonNegative = 0.01,
        width: Positive = 1.0,
        hidden_dim: Count = 256,
        dropout: Dropout = 0.0,
    ) -> None:
        super().__init__()
        self.tasks, self.out_dim, self.entropy = sorted(tasks), out_dim, entropy
        self.names = numbered("expert", experts)
        self.experts = Experts(in_dim, experts, hidden_dim=hidden_dim, out_dim=out_dim, dropout=dropout)
        self.gate = nn.ModuleList(Choice(in_dim, experts, chosen=chosen, width=width) for _ in self.tasks)

    def shared(self, vector: Float[Tensor, "B D"]) -> Float[Tensor, "B N O"]:
        """What the experts say."""
        return self.experts(vector)

    def split(self, features: Float[Tensor, "B N O"], vector: Float[Tensor, "B D"], task: str) -> tuple[Float[Tensor, "B O"], Gate]:
        """The chosen experts in the mixture of the task's gate, whose penalty is `entropy`."""
        weights, entropy = self.gate[self.tasks.index(task)](vector)
        return mixture(weights, features), Gate(self.names, weights, {"entropy": self.entropy * entropy})


class Choice(nn.Module):
    """The gate of one task."""

    codes: Bool[Tensor, "N M"]

    def __init__(self, in_dim: int, experts: int, *, chosen: int, width: float) -> None:
        super().__init__()
        digits = (experts - 1).bit_length()
        self.chosen, self.width = chosen, width
        self.digits = nn.Linear(in_dim, chosen * digits)
        self.importance = nn.Linear(in_dim, chosen)
        for linear, bound in ((self.digits, width / 100), (self.importance, 0.05)):
            nn.init.uniform_(linear.weight, -bound, bound)
            nn.init.uniform_(linear.bias, -bound, bound)
        codes = torch.arange(experts)[:, None] >> torch.arange(digits) & 1
        self.register_buffer("codes", codes.bool(), persistent=False)

    def forward(self, vector: Float[Tensor, "B D"]) -> tuple[Float[Tensor, "B N"], Float[Tensor, " B"]]:
        """The experts' weights, which sum to 1, and the sum of the selectors' entropies."""
        digits = smooth_step(self.digits(vector) / self.width).unflatten(1, (self.chosen, 1, -1))
        selected = reduce(torch.mul, torch.where(self.codes, digits, 1 - digits).unbind(3))  # the gradient of `prod` waits for the GPU
        weights = mixture(self.importance(vector).softmax(1), selected)
        return weights, -(selected * (selected + EPSILON).log()).sum((1, 2))


def smooth_step(values: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
    """0 up to -1/2, 1 from 1/2, and between the cubic that joins them with a continuous derivative."""
    values = values.clamp(-0.5, 0.5)
    return -2 * values**3 + 1.5 * values + 0.5
