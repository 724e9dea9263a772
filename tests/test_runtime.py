"""Devices, precision, threads and random state."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mmtrain import checkpoint, processes, runtime
from mmtrain.errors import ConfigError
from mmtrain.training import Settings


def test_auto_is_the_gpu_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert runtime.choose_device("cpu") == torch.device("cpu")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert runtime.choose_device("auto") == torch.device("cpu")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert runtime.choose_device("auto") == torch.device("cuda")
    assert runtime.choose_device("cuda:1") == torch.device("cuda:1")


def test_every_process_has_a_gpu_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(processes, "count", lambda: 3)
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert runtime.choose_device("auto") == runtime.choose_device("cuda") == torch.device("cuda:1")
    with pytest.raises(ConfigError, match="'cuda:0' is not enough"):
        runtime.choose_device("cuda:0")
    monkeypatch.setenv("LOCAL_RANK", "2")
    with pytest.raises(ConfigError, match="this machine has 2"):
        runtime.choose_device("auto")
    assert runtime.choose_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize("name", ["gpu", "cuda:2", "meta", "", "cpu:0"])
def test_a_device_that_is_not_here(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(ConfigError, match=f"training.device: '{name}' cannot be used here; allowed: auto, cpu, cuda, cuda:0, cuda:1"):
        runtime.choose_device(name)


@pytest.mark.parametrize(("precision", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16), ("fp16", torch.float16)])
def test_precision_is_that_of_the_forward_pass(precision: Any, dtype: torch.dtype) -> None:
    started = runtime.start(Settings(device="cpu", precision=precision), seed=0)
    with started.autocast():
        assert torch.nn.Linear(2, 2)(torch.ones(1, 2)).dtype == dtype
    assert torch.nn.Linear(2, 2)(torch.ones(1, 2)).dtype == torch.float32
    assert (started.scale > 1) == (precision == "fp16")
    assert started.scale >= 1


def test_threads_that_one_run_asked_for_are_not_left_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "_THREADS", 2)
    runtime.start(Settings(device="cpu", threads=1), seed=0)
    assert torch.get_num_threads() == 1
    runtime.start(Settings(device="cpu"), seed=0)
    assert torch.get_num_threads() == 2


def test_a_seed_decides_every_generator() -> None:
    def draw() -> tuple[float, float, float]:
        return random.random(), float(np.random.rand()), float(torch.rand(()))

    runtime.seed_everything(5)
    first = draw()
    assert draw() != first
    runtime.seed_everything(5)
    assert draw() == first
    runtime.seed_everything(6)
    assert all(other != one for other, one in zip(draw(), first, strict=True))
    runtime.seed_everything(2**40)  # numpy takes 32 bits


def test_random_state_can_be_put_back() -> None:
    started = runtime.start(Settings(device="cpu"), seed=1)
    state = runtime.random_state(started)
    first = torch.rand(3)
    runtime.restore_random_state(started, state)
    assert torch.equal(torch.rand(3), first)


def test_figures_of_this_process() -> None:
    started = runtime.start(Settings(device="cpu"), seed=1)
    assert 50 < runtime.peak_memory_mb(started) < 100_000
    assert runtime.versions()["torch"] == torch.__version__


def test_every_generator_goes_on_where_its_state_was_taken(tmp_path: Path) -> None:
    machine = runtime.start(Settings(device="cpu"), seed=3)
    drawn = random.random(), np.random.normal(), torch.rand(1).item()
    checkpoint.save(tmp_path, runtime.random_state(machine))
    expected = random.random(), np.random.normal(), torch.rand(1).item()
    assert expected != drawn
    runtime.seed_everything(5)
    runtime.restore_random_state(machine, checkpoint.load(tmp_path))
    assert (random.random(), np.random.normal(), torch.rand(1).item()) == expected
