"""What a step costs under each balancing method, beside a plain sum of the losses: `make measure-balancing`.

Three trunks (an MLP of four layers of 512 at 128 rows, a small ResNet on 28 x 28 pixels at 64, a transformer of two layers at 64) with T
heads of one hidden layer of 64 each, one thread. Methods take their turns in alternation with the sum, so that a noisy machine disturbs
both alike; a figure is the median over the trunks of the ratio of the medians, and in brackets the lowest and the highest of them.

    python tests/balancing/cost.py [--tasks 2 4 8 16] [--rounds 15] [--methods mgda upgrad]
"""

import argparse
import inspect
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from mmtrain import balancing
from mmtrain.balancing import Balancer
from mmtrain.spec import TaskSpec
from mmtrain.transformer import Transformer

CLASSES, WIDTH, STEPS = 10, 128, 2  # of each task; of the boundary; in a turn

PLAIN = ["Fixed", "Size", "Log", "Uncertainty", "IMTLL", "DWA", "Random", "Geometric", "STCH", "FAMO"]
GRADIENTS = [
    "MGDA",
    "UPGrad",
    "IMTLG",
    "Aligned",
    "ConFIG",
    "GradDrop",
    "PCGrad",
    "GradVac",
    "FairGrad",
    "CAGrad",
    "NashMTL",
    "GradNorm",
    "DBMTL",
]


class MLP(nn.Sequential):
    """Four layers of 512."""

    def __init__(self) -> None:
        layers = [(nn.Linear(512, 512), nn.ReLU()) for _ in range(4)]
        super().__init__(*(part for layer in layers for part in layer), nn.Linear(512, WIDTH))


class ResNet(nn.Module):
    """A stem and three residual blocks of two convolutions."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 32, 3, 2, 1)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Conv2d(32, 32, 3, 1, 1), nn.BatchNorm2d(32), nn.ReLU(), nn.Conv2d(32, 32, 3, 1, 1), nn.BatchNorm2d(32))
            for _ in range(3)
        )
        self.readout = nn.Linear(32, WIDTH)

    def forward(self, pixels: Tensor) -> Tensor:
        """One vector a picture."""
        values = self.stem(pixels)
        for block in self.blocks:
            values = functional.relu(values + block(values))
        return self.readout(values.mean((2, 3)))


class Words(nn.Module):
    """Two layers of self-attention over 32 words."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = Transformer(WIDTH, layers=2, heads=4, expansion=2, dropout=0.0)

    def forward(self, values: Tensor) -> Tensor:
        """One vector a row."""
        return self.layers(values, torch.ones(values.shape[:2], dtype=torch.bool)).mean(1)


TRUNKS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "mlp": (MLP, (128, 512)),
    "resnet": (ResNet, (64, 1, 28, 28)),
    "transformer": (Words, (64, 32, WIDTH)),
}


class Trained:
    """A model under one balancer; `step` takes one."""

    def __init__(self, trunk: str, tasks: int, balancer: Callable[[dict[str, TaskSpec]], Balancer]) -> None:
        torch.manual_seed(0)
        make, shape = TRUNKS[trunk]
        self.names = [f"task_{number}" for number in range(tasks)]
        self.trunk = make()
        self.heads = nn.ModuleList(nn.Sequential(nn.Linear(WIDTH, 64), nn.ReLU(), nn.Linear(64, CLASSES)) for _ in self.names)
        self.balancer = balancer({name: TaskSpec(1000, gaussian=False) for name in self.names})
        self.parameters = [*self.trunk.parameters(), *self.heads.parameters()]
        self.optimizer = torch.optim.AdamW(self.parameters, lr=1e-3)
        self.inputs = torch.randn(shape)
        self.targets = torch.randint(CLASSES, (tasks, shape[0]))

    def losses(self) -> tuple[dict[str, Tensor], Tensor]:
        """The tasks' losses, and what the heads read."""
        vector = self.trunk(self.inputs)
        found = [functional.cross_entropy(head(vector), target) for head, target in zip(self.heads, self.targets, strict=True)]
        return dict(zip(self.names, found, strict=True)), vector

    def step(self) -> None:
        """Forward, backward, update."""
        losses, vector = self.losses()
        self.balancer.backward(losses, boundary=[vector], parameters=self.parameters)
        self.balancer.before_step()
        nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.optimizer.step()
        self.balancer.after_step(self.measure if self.balancer.measures else None)
        self.optimizer.zero_grad(set_to_none=True)

    @torch.no_grad()
    def measure(self) -> dict[str, Tensor]:
        """The losses after the step."""
        return self.losses()[0]


def ratio(trunk: str, tasks: int, balancer: Callable[[dict[str, TaskSpec]], Balancer], rounds: int) -> float:
    """Seconds of a step over those of the plain sum's."""
    rivals = [Trained(trunk, tasks, balancer), Trained(trunk, tasks, balancing.Fixed)]
    seconds: tuple[list[float], list[float]] = ([], [])
    for turn in range(rounds + 2):
        for rival, taken in zip(rivals, seconds, strict=True):
            started = time.perf_counter()
            for _ in range(STEPS):
                rival.step()
            if turn >= 2:  # the first warm up
                taken.append(time.perf_counter() - started)
    return statistics.median(seconds[0]) / statistics.median(seconds[1])


def main() -> None:
    """Print a row a method as soon as it is known."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, nargs="+", default=[2, 4, 8, 16])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--methods", nargs="+", default=[*PLAIN, *GRADIENTS], help="class names in mmtrain.balancing")
    parser.add_argument("--levels", nargs="+", default=["features", "parameters"])
    options = parser.parse_args()
    torch.set_num_threads(1)
    print("| method | level |", *(f" T = {tasks} |" for tasks in options.tasks), "trunks: " + ", ".join(TRUNKS), flush=True)
    for name in options.methods:
        kind: Any = getattr(balancing, name)
        for level in options.levels if "level" in inspect.signature(kind).parameters else [""]:
            chosen = {"level": level} if level else {}
            cells = []
            for tasks in options.tasks:
                found = [ratio(trunk, tasks, partial(kind, **chosen), options.rounds) for trunk in TRUNKS]
                cells.append(f"{statistics.median(found):.2f} ({min(found):.2f}-{max(found):.2f})")
            print("|", " | ".join([name, level, *cells]), "|", flush=True)


if __name__ == "__main__":
    main()
