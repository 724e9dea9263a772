"""Rows of few numbers in place of the tasks' gradients."""

import torch
from jaxtyping import Float
from torch import Tensor

ROUNDING = 1e-6  # of a Gramian in float32, relative to its largest eigenvalue: what is below it is none


def factor(gramian: Float[Tensor, "N N"]) -> Float[Tensor, "N N"]:
    """Rows that have this Gramian: the tasks' gradients in coordinates of their own span.

    For methods that want rows and look at nothing but lengths and angles. A pseudo-inverse of the gradients themselves would cut
    off ever more, the more parameters there are: its tolerance grows with the number of columns.
    """
    values, vectors = torch.linalg.eigh(gramian)
    return vectors * torch.where(values > ROUNDING * values[-1], values, 0).sqrt()
