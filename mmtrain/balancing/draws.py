"""Random numbers of a method that draws some."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class Draws(nn.Module):
    """The same numbers for all parts of a batch, others in each step, and none of those that anything else draws.

    They depend on the seed of the run and on the number of steps, which is all the state there is.
    """

    def __init__(self) -> None:
        super().__init__()
        self.seed, self.steps, self.used = torch.initial_seed() % 2**31, 0, False

    @contextmanager
    def fixed(self, device: torch.device | str = "cpu") -> Iterator[None]:
        """In it, torch draws the numbers of this step on the CPU and on `device`; afterwards it goes on where it was."""
        device, self.used = torch.device(device), True
        seed = self.seed * 1_000_003 + self.steps
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            torch.default_generator.manual_seed(seed)
            if device.type == "cuda":
                with torch.cuda.device(device):
                    torch.cuda.manual_seed(seed)
            yield

    def after_step(self) -> None:
        """A step in which nothing was drawn does not count."""
        self.steps, self.used = self.steps + self.used, False

    def get_extra_state(self) -> Tensor:
        """On the CPU, where the numbers are needed."""
        return torch.tensor([self.seed, self.steps])

    def set_extra_state(self, state: Tensor) -> None:
        """Go on where the state was taken."""
        self.seed, self.steps = map(int, state)
