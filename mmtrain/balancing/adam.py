"""Adam for numbers that a balancer learns by itself, one a task."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

MOMENTUM, SQUARE_MOMENTUM, EPSILON = 0.9, 0.999, 1e-8  # as in its paper


def adam(
    slope: Float[Tensor, " T"],
    moved: Bool[Tensor, " T"],
    *,
    lr: float,
    steps: Int[Tensor, " T"],
    moment: Float[Tensor, " T"],
    square: Float[Tensor, " T"],
) -> Float[Tensor, " T"]:
    """What to subtract; 0 where not `moved`. `steps`, `moment` and `square` are the caller's buffers, changed in place where moved.

    Source: Kingma and Ba 2015, algorithm 1, each number with its own count of steps: a task that rests keeps its moments.
    """
    new_steps = steps + 1
    new_moment = MOMENTUM * moment + (1 - MOMENTUM) * slope
    new_square = SQUARE_MOMENTUM * square + (1 - SQUARE_MOMENTUM) * slope**2
    root = (new_square / (1 - SQUARE_MOMENTUM**new_steps)).sqrt() + EPSILON
    for kept, new in [(steps, new_steps), (moment, new_moment), (square, new_square)]:
        kept.copy_(torch.where(moved, new, kept))
    return torch.where(moved, lr * new_moment / (1 - MOMENTUM**new_steps) / root, 0.0)
