"""`mmtrain check`: everything but the training: configuration, data, and one batch through the model and back."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from mmtrain.assembly import data_parts
from mmtrain.config import Run
from mmtrain.data.prepare import limited
from mmtrain.errors import ConfigError, Problem
from mmtrain.folder import RunFolder
from mmtrain.inspection import Rows, balance, giveaways, measures, page, repeats
from mmtrain.train import Session, open_session, prepare_data

EMPTY_SHOWN, TELLING_SHOWN = 8, 5  # columns with empty cells, and columns that tell a target, that are named


def check(config: Run, *, output: Path = Path("check.html")) -> None:
    """Say what a run would train on, take one batch forward and backward, and write a page with some of the rows to `output`.

    Raises:
        UserError: whatever would stop a run before its first step, or the page cannot be written.
    """
    if output.suffix.lower() not in (".html", ".htm"):
        raise ConfigError(Problem("--output", f"'{output}' would hold a page", "let its name end in .html"))
    if not output.parent.is_dir():
        raise ConfigError(Problem("--output", f"there is no folder '{output.parent}'", "make it first"))
    data = prepare_data(config)
    console = Console(markup=False, emoji=False)  # a note may hold brackets
    parts = data_parts(config)  # read twice: keeping the tables would cost every training their memory
    rows = Rows(data, limited(parts.source.tables(), parts.settings.limit))
    console.print(_counts(rows))
    for line in _inspected(rows, config.data["name"], output):
        console.print(line, highlight=False, soft_wrap=True)
    with tempfile.TemporaryDirectory() as folder, open_session(config, data, RunFolder(Path(folder)), live=False) as session:
        _one_step(session)
        parameters = sum(parameter.numel() for parameter in session.loop.model.parameters())
        notes = [*config.warnings, *data.notes, *session.loop.balancer.notes, *session.loop.modality_balance.notes]
        lines = [f"parameters: {parameters:,}; steps: {session.loop.total_steps:,}; device: {session.loop.runtime.device}"]
        lines.append(session.loop.epoch_in_words())
    lines += [f"page: {output}", *(f"note: {note}" for note in notes)]
    for line in [*lines, "one batch went through the model and back: ready to train"]:
        console.print(line, highlight=False, soft_wrap=True)


def _inspected(rows: Rows, name: str, output: Path) -> Iterator[str]:
    """What a look at the data tells, line by line; in the end the page is written."""
    balances, sizes = balance(rows), measures(rows)
    yield from (found.line for found in balances)
    yield from (found.line for found in sizes)
    empty = {column: max(shares.values()) for column, shares in rows.empty_cells().items()}
    if empty:
        most = sorted(empty.items(), key=lambda item: -item[1])
        more = f", {len(most) - EMPTY_SHOWN} more columns" if len(most) > EMPTY_SHOWN else ""
        yield f"empty cells, in the split that has most: {', '.join(f'{column} {part:.1%}' for column, part in most[:EMPTY_SHOWN])}{more}"
    repeated, telling = repeats(rows), giveaways(rows)
    lines = [*(found.line for found in repeated), *(found.line for found in telling[:TELLING_SHOWN])]
    yield from (f"note: {line}" for line in lines)
    if len(telling) > TELLING_SHOWN:
        yield f"note: {len(telling) - TELLING_SHOWN} more such columns, on the page"
    _write(page(name, rows, balances, sizes, repeated, telling), output)


def _write(text: str, output: Path) -> None:
    """The whole page or nothing."""
    part = output.with_name(f"{output.name}.part")
    try:
        part.write_text(text, encoding="utf-8")
        os.replace(part, output)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise ConfigError(Problem("--output", f"'{output}' cannot be written: {error.strerror}")) from error


def _one_step(session: Session) -> None:
    loop = session.loop
    loop.begin_epoch()
    for group in loop.groups():
        if loop.step(group[:1]) is not None:  # without a labelled row it makes no step
            return


def _counts(rows: Rows) -> Table:
    """A row a modality and a task: how many rows of each split have it."""
    splits = rows.data.splits
    table = Table("", "kind", *splits)
    table.add_row("rows", "", *(f"{len(split):,}" for split in splits.values()), end_section=True)
    for place, cells in enumerate(rows.counts(), 1):
        table.add_row(*cells, end_section=place == len(rows.data.modalities))
    return table
