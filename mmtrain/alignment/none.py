"""No alignment."""

from collections.abc import Mapping

from jaxtyping import Bool, Float
from torch import Tensor, nn

from mmtrain.batch import Tokens


class Nothing(nn.Module):
    """Leave it to the tasks what modalities have in common."""

    def __init__(self, dims: Mapping[str, int]) -> None:
        super().__init__()

    def forward(self, tokens: Mapping[str, Tokens], present: Mapping[str, Bool[Tensor, " B"]]) -> dict[str, Float[Tensor, ""]]:
        """No penalty."""
        return {}
