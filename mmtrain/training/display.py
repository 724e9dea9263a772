"""What a run shows: a live table and a progress bar on a terminal, plain lines elsewhere, and all of it in train.log."""

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Task as Bar
from rich.table import Column, Table
from rich.text import Text
from torch import Tensor

from mmtrain import processes
from mmtrain.task import Task
from mmtrain.training.meter import Scores

IN_UNITS = {"mae", "rmse"}  # metrics that are measured in their task's unit


class _Screen(Console):
    """What the user sees; where nobody reads any more (`| head`), the run goes on unseen."""

    def on_broken_pipe(self) -> None:
        self.quiet = True


class _Rate(ProgressColumn):
    def render(self, task: Bar) -> Text:
        return Text(f"{task.finished_speed or task.speed or 0:,.0f} rows/s", style="cyan")


class Display:
    """Shows one run of these tasks; `live`, in a table that changes, where it is a terminal. Use it as a context manager around the run.

    Of several processes the first one shows it.
    """

    def __init__(self, tasks: Mapping[str, Task], log: Path, *, live: bool = True) -> None:
        self.tasks = tasks
        self.console = _Screen(markup=False, emoji=False, quiet=processes.rank() > 0)  # brackets and colons are the user's own
        self._file = log.open("a", encoding="utf-8")
        self._log = Console(file=self._file, width=120, color_system=None, force_terminal=False, markup=False, emoji=False)
        self._losses: Mapping[str, Tensor] = {}
        self._train: Scores | None = None
        self._val: Scores | None = None
        self._best: Scores | None = None
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            _Rate(),
            TimeRemainingColumn(compact=True),
            console=self.console,
        )
        self._bar = self._progress.add_task("", total=None)
        live = live and self.console.is_terminal and not self.console.quiet
        self._live = Live(self, console=self.console, refresh_per_second=4, transient=False) if live else None

    def __enter__(self) -> "Display":
        if self._live:
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()
        self._file.close()

    def stop(self) -> None:
        """Take the live table away; what is said afterwards stands below everything else."""
        if self._live:
            self._live.stop()

    def __rich__(self) -> RenderableType:
        """The live table, drawn four times a second; only then are the last losses read from their device."""
        wide = self.console.width >= 100  # figures without their last digits are worse than fewer figures
        more = ("step loss", "train loss", "val loss") if wide else ()
        table = Table("task", "metric", *(_right(name) for name in (*more, "val", "skill", "best skill")))
        for name, task in self.tasks.items():
            step_loss = self._losses.get(name)
            found = [None if step_loss is None else float(step_loss), _of(self._train, name, "loss"), _of(self._val, name, "loss")]
            shown = [_of(self._val, name, task.metric), _of(self._val, name, "skill"), _of(self._best, name, "skill")]
            table.add_row(name, _label(task, task.metric), *map(short, [*(found if wide else ()), *shown]))
        return Group(table, self._progress)

    def say(self, content: RenderableType) -> None:
        """Print a line or a table, here and in train.log."""
        self.console.print(content, highlight=False, soft_wrap=isinstance(content, str))
        self.log(content)

    def log(self, content: RenderableType) -> None:
        """Write a line or a table to train.log alone."""
        self._log.print(content, highlight=False, soft_wrap=isinstance(content, str))
        self._file.flush()

    def start_epoch(self, epoch: int, epochs: int, rows: int, *, done: int) -> None:
        """A new bar; `done` rows of the epoch were trained before a resume."""
        self._progress.reset(self._bar, total=rows, completed=done, description=f"epoch {epoch}/{epochs}")

    def advance(self, rows: int, losses: Mapping[str, Tensor]) -> None:
        """A step is done."""
        self._losses = losses
        self._progress.advance(self._bar, rows)

    def end_epoch(self, epoch: int, epochs: int, train: Scores, val: Scores, *, better: bool) -> None:
        """One plain line an epoch; the live table stays on a terminal."""
        self._train, self._val = train, val
        self._best = val if better else self._best
        tasks = "  ".join(f"{name} {short(_of(val, name, task.metric))}" for name, task in self.tasks.items())
        mean = f"loss {short(train.loss)}  val loss {short(val.loss)}  skill {short(val.skill)}{' *' if better else ''}"
        line = f"epoch {epoch}/{epochs}  {mean}  {tasks}"
        if self._live is None:
            self.console.print(line, highlight=False, soft_wrap=True)
        self.log(line)


def summary(scores: Scores, tasks: Mapping[str, Task], title: str) -> Table:
    """A row a task: its primary metric, what the best constant answer reaches, and the skill between that and perfection."""
    table = _table(title)
    for name, task in tasks.items():
        table.add_row(name, *_primary(task, scores.tasks[name]))
    if len(tasks) > 1:
        table.add_row("mean", "", "", "", short(scores.skill), "")
    return table


def metrics_table(found: Mapping[str, Mapping[str, Any]], tasks: Mapping[str, Task], title: str) -> Table:
    """A row a metric; the primary one of each task comes first, with the constant answer and the skill beside it."""
    table = _table(title)
    for name, task in tasks.items():
        table.add_row(name, *_primary(task, found[name]))
        for metric, value in found[name].items():
            if metric not in ("constant", "skill", "rows", "loss", task.metric):
                table.add_row("", _label(task, metric), short(value))
        table.add_section()
    return table


def classes_table(task: str, classes: Mapping[str, Mapping[str, Any]]) -> Table:
    """A row a label, the most frequent ones first; what a task has more than others comes last."""
    known = ("rows", "precision", "recall", "f1")
    names = (*known, *dict.fromkeys(name for found in classes.values() for name in found if name not in known))
    figures = (Column(Text(name), justify="right", no_wrap=True) for name in names)  # so that only labels give way on a narrow terminal
    table = Table(Column(Text(task), overflow="fold"), *figures)
    for label, found in sorted(classes.items(), key=lambda item: -item[1]["rows"]):
        table.add_row(Text(label), f"{found['rows']:,}", *(short(found[name]) for name in names[1:]))
    return table


def _table(title: str) -> Table:
    return Table("task", "metric", *(_right(name) for name in (title, "constant", "skill", "rows")))


def _primary(task: Task, found: Mapping[str, Any]) -> tuple[RenderableType, ...]:
    numbers = (short(found[name]) for name in (task.metric, "constant", "skill"))
    return (_label(task, task.metric), *numbers, str(found["rows"]))


def _label(task: Task, metric: str) -> Text:
    """The metric's name, and the task's unit where it is measured in that."""
    return Text(f"{metric} [{task.unit}]" if task.unit and metric in IN_UNITS else metric)


def _right(name: str) -> Column:
    return Column(Text(name), justify="right")


def _of(scores: Scores | None, task: str, name: str) -> float | None:
    return None if scores is None else scores.tasks[task][name]


def short(value: float | None) -> str:
    """Three digits after the point, or three significant ones for large numbers; a dash for what is undefined."""
    if value is None:
        return "-"
    return f"{value:.3f}" if abs(value) < 100 else f"{value:,.1f}"
