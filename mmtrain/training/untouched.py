"""Passes through the model that leave nothing behind."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from mmtrain import runtime
from mmtrain.runtime import Runtime


@contextmanager
def untouched(machine: Runtime, tensors: Iterable[Tensor], *, start: Mapping[str, Any] | None = None) -> Iterator[None]:
    """Give these tensors, and every generator of random numbers, back as they were. Inside, numbers are drawn from the state `start`."""
    kept = [(tensor, tensor.detach().clone()) for tensor in tensors]
    state = runtime.random_state(machine)
    if start is not None:
        runtime.restore_random_state(machine, start)
    try:
        yield
    finally:
        runtime.restore_random_state(machine, state)
        with torch.no_grad():
            for tensor, before in kept:
                tensor.copy_(before)
