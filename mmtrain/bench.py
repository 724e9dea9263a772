"""`mmtrain bench`: what the loop costs beside a bare hand-written one.

Both loops take the same batches through the same model with the same optimizer, clipping and precision; ours also logs, meters
and shows. They run in turns, so that a noisy machine disturbs both alike, and the medians are compared.
"""

import copy
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import cycle, islice
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table
from torch import nn

from mmtrain.batch import FUSED, Batch
from mmtrain.config import Run, build
from mmtrain.folder import RunFolder
from mmtrain.runtime import Runtime, compile_parts
from mmtrain.train import open_session, prepare_data
from mmtrain.training.loop import Loop

ROUNDS = 20  # turns that each loop takes
STEPS = 10  # steps in a turn
WARM_UP = 5  # steps before the clock starts


def bench(config: Run) -> float:
    """Print the seconds a step takes in both loops, and their ratio, which is returned."""
    data = prepare_data(config)
    with tempfile.TemporaryDirectory() as path, open_session(config, data, RunFolder(Path(path))) as session:
        loop = session.loop
        size = loop.settings.batch_size * loop.settings.accumulate
        groups = list(islice(loop.groups(), STEPS))
        bare = _bare(config, loop)
        ours_seconds, bare_seconds = _alternate(lambda group: loop.take_step(group), bare, groups, loop.runtime)
    table = Table("loop", "ms a step", "rows/s")
    for name, seconds in (("mmtrain", ours_seconds), ("bare", bare_seconds)):
        table.add_row(name, f"{seconds * 1000:.2f}", f"{size / seconds:,.0f}")
    console = Console()
    console.print(table)
    ratio = ours_seconds / bare_seconds
    console.print(f"ratio {ratio:.3f}: median of {ROUNDS} turns of {STEPS} steps each, in alternation")
    return ratio


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

    model.train()
    return step


def _alternate(
    ours: Callable[[Sequence[Batch]], object], bare: Callable[[Sequence[Batch]], object], groups: list[list[Batch]], runtime: Runtime
) -> tuple[float, float]:
    """Median seconds a step of each."""
    for step in (ours, bare):
        for group in islice(cycle(groups), WARM_UP):
            step(group)
    taken: dict[Callable[[Sequence[Batch]], object], list[float]] = {ours: [], bare: []}
    for _ in range(ROUNDS):
        for step, seconds in taken.items():
            started = time.perf_counter()
            for group in islice(cycle(groups), STEPS):
                step(group)
            if runtime.device.type == "cuda":
                torch.cuda.synchronize(runtime.device)
            seconds.append((time.perf_counter() - started) / STEPS)
    return statistics.median(taken[ours]), statistics.median(taken[bare])
