"""Hard parameter sharing."""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

from mmtrain.batch import Gate


class Shared(nn.Module):
    """Give every task the fused vector itself: all that lies before it is shared, and only the heads are a task's own.

    Source: Caruana 1997, Multitask Learning, section 2.
    """

    def __init__(self, in_dim: int, tasks: Sequence[str]) -> None:
        super().__init__()
        self.tasks = list(tasks)
        self.out_dim = in_dim

    def shared(self, vector: Float[Tensor, "B D"]) -> Float[Tensor, "B D"]:
        """The vector itself."""
        return vector

    def split(self, features: Float[Tensor, "B D"], vector: Float[Tensor, "B D"], task: str) -> tuple[Float[Tensor, "B D"], Gate | None]:
        """The same features for each task, without a gate."""
        return features, None
