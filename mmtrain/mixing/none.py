"""Rows as they are."""

from collections.abc import Mapping
from typing import Any

from jaxtyping import Bool
from torch import Tensor, nn


class Nothing(nn.Module):
    """Mix nothing."""

    def __init__(self, specs: Mapping[str, Any]) -> None:
        super().__init__()

    def forward(self, present: Mapping[str, Bool[Tensor, " B"]]) -> None:
        """No mixing."""
