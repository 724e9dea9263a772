"""The one place that knows devices, precision, threads, random state and signals."""

import contextlib
import os
import random
import resource
import signal
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import FrameType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mmtrain import processes
from mmtrain.errors import ConfigError, Problem
from mmtrain.training.settings import Settings

_THREADS = torch.get_num_threads()  # torch's own choice, before any run has set its own
_DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class Runtime:
    """Where and how precisely a model computes. `scaler` keeps small fp16 gradients from vanishing; otherwise it does nothing."""

    device: torch.device
    precision: str
    scaler: torch.amp.GradScaler

    def autocast(self) -> contextlib.AbstractContextManager[Any]:
        """The context of every forward pass."""
        if self.precision == "fp32":
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, dtype=_DTYPES[self.precision])

    @property
    def scale(self) -> Tensor:
        """The factor that gradients carry until they are unscaled: 1 except in fp16. Read without waiting for a GPU."""
        return self.scaler.scale(torch.ones((), device=self.device))


def start(settings: Settings, *, seed: int) -> Runtime:
    """Set threads and seeds for a run, and open its device. What an earlier run of this process set does not last.

    Raises:
        ConfigError: the device is unknown or not on this machine.
    """
    torch.set_num_threads(settings.threads or _THREADS)
    runtime = open_device(settings.device, settings.precision)
    if runtime.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(runtime.device)
    seed_everything(seed)
    return runtime


def open_device(name: str, precision: str) -> Runtime:
    """The device called so; the process stays as it is.

    Raises:
        ConfigError: it is unknown or not on this machine.
    """
    device = choose_device(name)
    if processes.count() > 1 and device.type == "cuda":
        torch.cuda.set_device(device)
    return Runtime(device, precision, torch.amp.GradScaler(device.type, enabled=precision == "fp16"))


def choose_device(name: str) -> torch.device:
    """The device called so; `auto` is the first GPU where there is one. Of several processes each has a GPU of its own.

    Raises:
        ConfigError: it is unknown or not on this machine.
    """
    graphics = [f"cuda:{number}" for number in range(torch.cuda.device_count())]
    others = ["mps"] if torch.backends.mps.is_available() else []
    usable = ["auto", "cpu", *(["cuda", *graphics] if graphics else []), *others]
    if name not in usable:
        raise ConfigError(Problem("training.device", f"'{name}' cannot be used here", f"allowed: {', '.join(usable)}"))
    device = torch.device(name if name != "auto" else "cuda" if graphics else "cpu")
    if processes.count() == 1 or device.type != "cuda":
        return device
    if device.index is not None or processes.local_rank() >= len(graphics):
        found = f"'{name}' is not enough: every process needs a GPU of its own, and this machine has {len(graphics)}"
        raise ConfigError(Problem("training.device", found, "start as many processes as there are GPUs, with training.device=cuda"))
    return torch.device(graphics[processes.local_rank()])


def seed_everything(seed: int) -> None:
    """Seed every generator that the model or a user's own part may draw from."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def seed_step(seed: int, *place: int) -> None:
    """Where several processes train, let each draw numbers of its own in this step, and the same again in a resumed run.

    One process alone goes on drawing where it was.
    """
    if processes.count() > 1:
        seed_everything(int(np.random.SeedSequence([seed, *place, processes.rank()]).generate_state(1)[0]))


def random_state(runtime: Runtime) -> dict[str, Any]:
    """The state of every generator that `seed_everything` seeds."""
    numpy: Any = np.random.get_state(legacy=False)
    numpy["state"]["key"] = torch.from_numpy(numpy["state"]["key"].astype(np.int64))  # a checkpoint holds tensors, of types they have
    state = {"cpu": torch.get_rng_state(), "python": random.getstate(), "numpy": numpy}
    if runtime.device.type == "cuda":
        state["cuda"] = torch.cuda.get_rng_state(runtime.device)
    return state


def restore_random_state(runtime: Runtime, state: Mapping[str, Any]) -> None:
    """Go on drawing where `random_state` was taken."""
    torch.set_rng_state(state["cpu"])
    version, internal, gauss = state["python"]
    random.setstate((version, tuple(internal), gauss))
    numpy = state["numpy"]
    np.random.set_state(numpy | {"state": numpy["state"] | {"key": numpy["state"]["key"].numpy().astype(np.uint32)}})
    if "cuda" in state and runtime.device.type == "cuda":
        torch.cuda.set_rng_state(state["cuda"], runtime.device)


def compile_parts(parts: Iterable[nn.Module]) -> None:
    """Compile parts in place, one by one, so that one part's graph break or new shape does not recompile the others."""
    for part in parts:
        part.compile(dynamic=True)


def peak_memory_mb(runtime: Runtime) -> float:
    """The most memory used so far in MiB: of the GPU where there is one, else of the process."""
    if runtime.device.type == "cuda":
        return torch.cuda.max_memory_allocated(runtime.device) / 2**20
    unit = 1 if sys.platform == "darwin" else 1024  # ru_maxrss counts bytes on macOS, KiB on Linux
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def versions() -> dict[str, str]:
    """What a figure depends on beside the configuration."""
    from mmtrain import __version__

    return {"mmtrain": __version__, "python": sys.version.split()[0], "torch": torch.__version__, "cores": str(os.cpu_count())}


@contextlib.contextmanager
def terminated_as_interrupt() -> Iterator[None]:
    """A cluster that ends a job sends SIGTERM; treat it as Ctrl-C, so that results.json says `stopped`."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():  # only the main thread may set signals
        yield
        return
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
