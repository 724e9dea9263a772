"""`mmtrain bench`: what the loop costs beside a bare hand-written one; with --against, a step beside one of another choice of parts;
with --feed, batches from the store beside decoding.

Both loops take the same batches through the same model with the same optimizer, clipping and precision; ours also logs, meters
and shows. Whatever is compared runs in turns, so that a noisy machine disturbs both alike, and the medians are taken.
"""

import copy
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from torch import nn

from mmtrain.assembly import data_parts
from mmtrain.batch import FUSED, Batch
from mmtrain.config import Run, build
from mmtrain.data import prepare
from mmtrain.data.live import Live
from mmtrain.errors import ConfigError, Problem
from mmtrain.folder import RunFolder
from mmtrain.runtime import compile_parts
from mmtrain.source import TRAIN
from mmtrain.train import open_session, prepare_data
from mmtrain.training.loop import Loop

ROUNDS = 20  # turns that each loop takes
STEPS = 10  # steps in a turn
WARM_UP = 5  # steps before the clock starts


def bench(config: Run) -> float:
    """Print the seconds a step takes in both loops, and their ratio, which is returned."""
    data = prepare_data(config)
    with tempfile.TemporaryDirectory() as path, open_session(config, data, RunFolder(Path(path)), live=False) as session:
        loop = session.loop
        loop.begin_epoch()
        size = loop.settings.batch_size * loop.settings.accumulate
        groups = list(islice(loop.groups(), STEPS))
        bare = _bare(config, loop)
        ours_seconds, bare_seconds = _alternate(lambda group: loop.take_step(group), bare, groups, loop.runtime.device)
    ratio = ours_seconds / bare_seconds
    _print(Table("loop", "ms a step", "rows/s"), {"mmtrain": ours_seconds, "bare": bare_seconds}, size, ratio)
    return ratio


def against(config: Run, other: Run) -> float:
    """Print the seconds that a step of each takes, and the ratio of the first to the other, which is returned.

    Both train on the same batches of the same data.

    Raises:
        ConfigError: their data or batch sizes differ.
    """
    if (
        (config.data, config.tasks) != (other.data, other.tasks)
        or config.training != other.training
        or config.whole_rows != other.whole_rows
    ):
        found = "it changes the data, the tasks or the training, and both have to take the same batches"
        raise ConfigError(Problem("--against", found, "name another part: --against fusion=concat"))
    data = prepare_data(config)
    with tempfile.TemporaryDirectory() as path, ExitStack() as stack:
        places = {"this": config, "other": other}
        sessions = [stack.enter_context(open_session(run, data, RunFolder(Path(path) / name), live=False)) for name, run in places.items()]
        ours, theirs = (session.loop for session in sessions)
        for loop in (ours, theirs):
            loop.begin_epoch()
        groups = list(islice(ours.groups(), STEPS))
        seconds = _alternate(ours.take_step, theirs.take_step, groups, ours.runtime.device)
    size = ours.settings.batch_size * ours.settings.accumulate
    ratio = seconds[0] / seconds[1]
    _print(Table("configuration", "ms a step", "rows/s"), dict(zip(places, seconds, strict=True)), size, ratio)
    return ratio


def feed(config: Run) -> float:
    """Print the seconds that a batch of train takes from the store and when its files are decoded, and their ratio, which is returned.

    Both give the same shuffled rows to the host, ready for the model; decoding uses all cores, as it does where a store would be too large.

    Raises:
        ConfigError: no modality of the data is read from files.
    """
    data, parts = prepare_data(config), data_parts(config)
    size, stored = config.training["batch_size"], data.splits[TRAIN]
    rows = np.random.default_rng(config.seed).permutation(len(stored))
    groups = [rows[start : start + size] for start in range(0, len(rows), size)][:STEPS]
    with tempfile.TemporaryDirectory() as folder:
        settings = replace(parts.settings, cache=folder, cache_limit_gb=1e-9)
        decoded = prepare(parts.source, settings, parts.modalities, parts.tasks, progress=True, state=data.state()).splits[TRAIN]
        if not any(isinstance(store, Live) for store in decoded.stores.values()):
            raise ConfigError(Problem("data.modalities", "none is read from files", "choose data with pictures, sounds or clips"))
        decoded_seconds, stored_seconds = _alternate(decoded.batch, stored.batch, groups, torch.device("cpu"))
    ratio = decoded_seconds / stored_seconds
    _print(Table("rows", "ms a batch", "rows/s"), {"stored": stored_seconds, "decoded": decoded_seconds}, size, ratio)
    return ratio


def _print(table: Table, found: Mapping[str, float], size: int, ratio: float) -> None:
    for name, seconds in found.items():
        table.add_row(name, f"{seconds * 1000:.2f}", f"{size / seconds:,.0f}")
    console = Console()
    console.print(table)
    console.print(f"ratio {ratio:.3f}: median of {ROUNDS} turns of {STEPS} steps each, in alternation")


def _bare(config: Run, loop: Loop) -> Callable[[Sequence[Batch]], None]:
    """The loop that one would write by hand for this model."""
    model = copy.deepcopy(loop.model)
    if loop.settings.compile:  # a copy does not take the compiled call along
        compile_parts([*(encoder for _, encoder in model.encoder.items()), model.fusion])
    kinds = {name: modality.kind for name, modality in model.modality.items()}
    optimizer = build(config.optimizer, model, kinds, trust=config.trust)
    scaler, runtime, clip = loop.runtime.scaler, loop.runtime, loop.settings.clip

    def step(group: Sequence[Batch]) -> None:
        for batch in group:
            with runtime.autocast():
                predictions = model(batch).predictions
            loss = torch.zeros((), device=runtime.device)
            for name, task in model.tasks.items():
                rows = batch.scored[name][FUSED]
                if len(rows) > 0:
                    loss = loss + task.weight * model.loss[name](predictions[name][rows].float(), batch.targets[name][rows]).mean()
            scaler.scale(loss / len(group)).backward()
        scaler.unscale_(optimizer)
        if clip is not None:
            nn.utils.clip_grad_norm_(model.parameters(), clip)
        scaler.step(optimizer)
        scaler.update()
        optimizer.zero_grad(set_to_none=True)

    return step


def _alternate(
    first: Callable[[Any], object], second: Callable[[Any], object], groups: Sequence[Any], device: torch.device
) -> tuple[float, float]:
    """Median seconds a step of each."""
    for step in (first, second):
        for group in islice(cycle(groups), WARM_UP):
            step(group)
    taken: list[tuple[Callable[[Any], object], list[float]]] = [(first, []), (second, [])]
    for _ in range(ROUNDS):
        for step, seconds in taken:
            started = time.perf_counter()
            for group in islice(cycle(groups), STEPS):
                step(group)
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            seconds.append((time.perf_counter() - started) / STEPS)
    return statistics.median(taken[0][1]), statistics.median(taken[1][1])
