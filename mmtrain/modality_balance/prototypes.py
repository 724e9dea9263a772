"""Where the classes of a task lie in one modality."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

NEVER = -1e30  # the logit of a class without a prototype; finite, so that gradients stay so where no class has one


class Prototypes(nn.Module):
    """The mean vector of each class. `sums` and `counts` gather the epoch under way; all of it stands in the state dict."""

    centres: Float[Tensor, "C D"]
    known: Bool[Tensor, " C"]
    sums: Float[Tensor, "C D"]
    counts: Float[Tensor, " C"]

    def __init__(self, classes: int, width: int) -> None:
        super().__init__()
        self.register_buffer("centres", torch.zeros(classes, width))
        self.register_buffer("known", torch.zeros(classes, dtype=torch.bool))
        self.register_buffer("sums", torch.zeros(classes, width))
        self.register_buffer("counts", torch.zeros(classes))

    @torch.no_grad()
    def gather(self, vectors: Float[Tensor, "S D"], labels: Int[Tensor, " S"], rows: Bool[Tensor, " S"]) -> None:
        """Add these rows to the epoch's."""
        member = (labels[:, None] == torch.arange(len(self.counts), device=labels.device)) & rows[:, None]
        self.sums += member.to(vectors.dtype).T @ torch.where(rows[:, None], vectors, 0.0)
        self.counts += member.sum(0)

    @torch.no_grad()
    def renew(self, momentum: float) -> None:
        """Move towards the epoch's means, by `1 - momentum`, and begin anew; a class that had no row stays where it was."""
        means, seen = self.sums / self.counts.clamp(min=1)[:, None], self.counts > 0
        moved = torch.where(self.known[:, None], momentum * self.centres + (1 - momentum) * means, means)
        self.centres.copy_(torch.where(seen[:, None], moved, self.centres))
        self.known |= seen
        self.sums.zero_()
        self.counts.zero_()

    def logits(self, vectors: Float[Tensor, "S D"]) -> Float[Tensor, "S C"]:
        """Minus the Euclidean distance to each prototype."""
        distances = torch.cdist(vectors, self.centres, compute_mode="donot_use_mm_for_euclid_dist")
        return (-distances).masked_fill(~self.known, NEVER)
