"""`mmtrain check`: everything but the training: configuration, data, and one batch through the model and back."""

import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from mmtrain.config import Run
from mmtrain.data import Data, Dataset, batches
from mmtrain.folder import RunFolder
from mmtrain.train import Session, open_session, prepare_data


def check(config: Run) -> None:
    """Say what a run would train on, and take one batch forward and backward; nothing is kept but the data store.

    Raises:
        UserError: whatever would stop a run before its first step.
    """
    data = prepare_data(config)
    console = Console(markup=False, emoji=False)  # a note may hold brackets
    console.print(_rows(data))
    with tempfile.TemporaryDirectory() as folder, open_session(config, data, RunFolder(Path(folder))) as session:
        _one_step(session)
        parameters = sum(parameter.numel() for parameter in session.loop.model.parameters())
        notes = [*config.warnings, *data.notes, *session.loop.balancer.notes]
        lines = [f"parameters: {parameters:,}; steps: {session.loop.total_steps:,}; device: {session.loop.runtime.device}"]
    for line in [*lines, *(f"note: {note}" for note in notes), "one batch went through the model and back: ready to train"]:
        console.print(line, highlight=False, soft_wrap=True)


def _one_step(session: Session) -> None:
    loop = session.loop
    loop.model.train()
    size = loop.settings.batch_size
    for batch in batches(loop.train, size, seed=session.config.seed, epoch=0, shuffle=True):
        if loop.step([batch.to(loop.runtime.device)]) is not None:  # without a labelled row it makes no step
            return


def _rows(data: Data) -> Table:
    """A row a modality and a task: how many rows of each split have it."""
    table = Table("", "kind", *data.splits)
    table.add_row("rows", "", *(f"{len(split):,}" for split in data.splits.values()))
    table.add_section()
    for name, modality in data.modalities.items():
        table.add_row(name, modality.kind, *(_share(split, int(split.present[name].sum())) for split in data.splits.values()))
    table.add_section()
    for name, task in data.tasks.items():
        table.add_row(
            name, type(task).__name__.lower(), *(_share(split, int(split.labelled[name].sum())) for split in data.splits.values())
        )
    return table


def _share(split: Dataset, count: int) -> str:
    return f"{count:,}" if count == len(split) else f"{count:,} ({count / len(split):.0%})"
