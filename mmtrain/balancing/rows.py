"""The gradients of the tasks, side by side: a row a task."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Shaped
from torch import Tensor


@dataclass(frozen=True)
class Rows:
    """The gradients of N tasks with respect to the same tensors, without the loss scale of fp16.

    `values[k]` (N, ...) belongs to the k-th tensor; `losses` are the tasks' losses, `places` their numbers among all tasks.
    """

    places: Sequence[int]
    losses: Float[Tensor, " N"]
    values: Sequence[Shaped[Tensor, "N ..."]]

    def gramian(self) -> Float[Tensor, "N N"]:
        """The products of each two rows, in float32 or better."""
        count = len(self.places)
        if not self.values:
            return self.losses.new_zeros(count, count, dtype=torch.promote_types(self.losses.dtype, torch.float32))
        flat = [part.reshape(count, -1).to(torch.promote_types(part.dtype, torch.float32)) for part in self.values]
        return torch.stack([part @ part.T for part in flat]).sum(0)

    def combined(self, weights: Float[Tensor, " N"]) -> list[Tensor]:
        """The sum of weight times row, tensor by tensor."""
        return [torch.tensordot(weights.to(part.dtype), part, dims=1) for part in self.values]


def feature_rows(
    losses: Mapping[str, Float[Tensor, ""]], boundary: Sequence[Shaped[Tensor, "..."]], places: Mapping[str, int]
) -> tuple[Rows, list[Tensor]]:
    """Rows with respect to what lies at the boundary, and the tensors there that they belong to. Runs through the heads only.

    A tensor in front of which nothing is trained has no row; one that a task does not read has zeros in its row.
    """
    tensors = list({id(tensor): tensor for tensor in boundary if tensor.requires_grad}.values())
    tasks = sorted(losses, key=places.__getitem__)
    found = [
        torch.autograd.grad(losses[task], tensors, retain_graph=True, allow_unused=True, materialize_grads=True)
        for task in tasks
        if tensors
    ]
    values = [torch.stack(parts) for parts in zip(*found, strict=True)]
    return Rows([places[task] for task in tasks], torch.stack([losses[task].detach() for task in tasks]), values), tensors
