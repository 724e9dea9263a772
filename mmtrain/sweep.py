"""`mmtrain train -m`: one run a combination, and a table that compares them.

Every combination is composed and checked before the first one starts. A job that fails does not stop the others, and a sweep that
was stopped goes on when the same command names its folder.
"""

import csv
import json
import math
import os
import statistics
import sys
import traceback
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, fields
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.measure import Measurement
from rich.table import Column, Table

from mmtrain.config import Run, load_run, load_sweep
from mmtrain.errors import Problem, RunError, UserError
from mmtrain.folder import RunFolder
from mmtrain.train import resume, train

OVERRIDES = "overrides.json"  # in each job's folder: what this job was asked for, by key
_SEED = "seed"


@dataclass(frozen=True)
class Job:
    """One finished or failed job. `numbers` are the validation and test figures, by column of the summary."""

    folder: Path
    keys: Mapping[str, str]
    status: str
    numbers: Mapping[str, float | None]


@dataclass(frozen=True)
class Planned:
    """A job to come: its number, its words of the command line, and where it is going to be."""

    number: int
    words: list[str]
    config: Run
    folder: Path

    @property
    def overrides(self) -> dict[str, str]:
        """What it was asked for, by key."""
        return dict(word.lstrip("+").split("=", 1) for word in self.words if "=" in word)


def sweep(overrides: Sequence[str], config_dir: Path | None = None, *, workers: int = 1) -> list[Job]:
    """Train once with each combination of the listed values, and compare what came out.

    A folder in which the same sweep was begun goes on: finished jobs are skipped, the others resumed or begun. With more than one of
    `workers` so many jobs run at once, each in a process of its own, whose lines go to its train.log alone.

    Raises:
        ConfigError: what is wrong with any combination; nothing has been trained then.
        RunError: the folder holds other runs already; or some jobs failed, and the others are done and compared.
    """
    folder, configs = load_sweep(overrides, config_dir)
    planned = [Planned(number, words, config, folder / str(number)) for number, (words, config) in enumerate(configs)]
    left = [job for job in planned if not _finished(job)]
    if len(left) < len(planned):
        print(f"{len(planned) - len(left)} of {len(planned)} jobs are finished already", flush=True)
    try:
        if workers > 1:
            _run_side_by_side(left, len(planned), workers)
        for job in left if workers == 1 else ():
            print(f"job {job.number} ({job.number + 1} of {len(planned)}): {' '.join(job.words)}", flush=True)
            _tell(_run(job))
    except KeyboardInterrupt:
        print(f"stopped; go on with the same words and hydra.sweep.dir={folder}", flush=True)
        raise
    jobs = summarise(folder)
    failed = [job.folder.name for job in jobs if job.status != "finished"]
    if failed:
        raise RunError(Problem(str(folder), f"{len(failed)} of {len(jobs)} jobs failed: {', '.join(failed)}", "see the errors above"))
    return jobs


def _finished(job: Planned) -> bool:
    """Whether this very job was done before.

    Raises:
        RunError: its folder holds another run, or one that was configured otherwise.
    """
    run = RunFolder(job.folder)
    if not run.config.exists():
        RunFolder.new(job.folder)  # refuses a folder that holds a run
        return False
    before, now = load_run(job.folder, trust=job.config.trust), job.config.in_full()
    changed = [key.name for key in fields(Run) if key.compare and getattr(before, key.name) != getattr(now, key.name)]
    if changed:
        found = f"holds a job that was configured otherwise: {', '.join(changed)}"
        raise RunError(Problem(str(job.folder), found, "choose another folder with hydra.sweep.dir=FOLDER"))
    return run.results().get("status") == "finished"


def _run(job: Planned) -> str:
    """Train; what went wrong, as text, or nothing."""
    write_overrides(job.folder, job.overrides)
    try:
        if RunFolder(job.folder).config.exists():
            resume(job.folder, job.config)
        else:
            train(job.config, job.folder)
    except UserError as error:
        return "\n".join(f"error: {problem}" for problem in error.problems)
    except Exception:  # the other jobs still run, and the summary says that this one failed
        return traceback.format_exc()
    return ""


def _run_unseen(job: Planned, sender: Connection) -> None:
    """The same in a process of its own, which shows nothing."""
    sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  # until the process ends
    sys.stderr = sys.stdout
    sender.send(_run(job))


def _run_apart(job: Planned) -> str:
    """Train in a new process, as `mmtrain train` does; torch's threads would not survive a fork."""
    context = get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_run_unseen, args=(job, sender))
    process.start()
    sender.close()  # so that a process that is killed ends the wait for its word
    try:
        return str(receiver.recv())
    except EOFError:
        process.join()
        run = RunFolder(job.folder)
        if run.results().get("status") == "running":
            run.write_results(run.results() | {"status": "failed"})
        return f"error: {job.folder}: its process ended with exit code {process.exitcode}; was memory short?"
    finally:
        process.join()


def _run_side_by_side(jobs: Sequence[Planned], count: int, workers: int) -> None:
    with ThreadPoolExecutor(workers) as pool:
        running = {pool.submit(_run_apart, job): job for job in jobs}
        try:
            for done, future in enumerate(as_completed(running), count - len(jobs) + 1):
                job = running[future]
                status = RunFolder(job.folder).results().get("status", "failed")
                print(f"job {job.number} {status} ({done} of {count}): {' '.join(job.words)}", flush=True)
                _tell(future.result())
        except KeyboardInterrupt:  # those that run have heard of it, too
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _tell(trouble: str) -> None:
    if trouble:
        print(trouble, file=sys.stderr, flush=True)


def write_overrides(folder: Path, overrides: Mapping[str, str]) -> None:
    """Note what a job was asked for, before it starts."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / OVERRIDES).write_text(json.dumps(dict(overrides)), encoding="utf-8")


def summarise(folder: Path) -> list[Job]:
    """Compare the jobs of a sweep: print a table and write `summary.csv`, best validation skill first.

    Jobs that differ in `seed` alone are also printed, and written to `summary_seeds.csv`, as mean and 95 % interval.
    """
    jobs = sorted((_read(place.parent) for place in folder.glob(f"*/{OVERRIDES}")), key=_rank)
    swept = [key for key in _keys(jobs) if len({job.keys.get(key) for job in jobs}) > 1] or _keys(jobs)
    rows = [{"job": job.folder.name, **{key: job.keys.get(key, "") for key in swept}, "status": job.status, **job.numbers} for job in jobs]
    _write(folder / "summary.csv", rows)
    console = Console() if sys.stdout.isatty() else Console(width=200)  # a file has room
    tasks = list(dict.fromkeys(name.removesuffix(" val") for job in jobs for name in job.numbers if name.endswith(" val")))
    _show(console, rows, tasks, f"{len(jobs)} jobs, best validation skill first")
    seeds = _over_seeds(jobs, [key for key in swept if key != _SEED]) if _SEED in swept else []
    if seeds:
        _write(folder / "summary_seeds.csv", seeds)
        _show(console, seeds, tasks, "over seeds: mean and half of the 95 % interval")
    console.print(f"sweep folder: {folder}", soft_wrap=True, highlight=False)
    return jobs


def _read(folder: Path) -> Job:
    keys = json.loads((folder / OVERRIDES).read_text(encoding="utf-8"))
    run = RunFolder(folder)
    results = run.results()
    status = results.get("status", "failed")
    best = [line for line in run.read_metrics() if line["split"] == "val" and line["epoch"] == results.get("best_epoch")]
    numbers: dict[str, float | None] = {"val skill": None, "test skill": None}
    for split, found in (("val", best[-1] if best else None), ("test", results.get("test"))):
        if found is not None:
            numbers[f"{split} skill"] = found["skill"]
    for task, metrics in (results.get("baseline") or {}).items():
        for metric in metrics:
            numbers[f"{task} {metric} val"] = best[-1]["tasks"][task][metric] if best else None
            numbers[f"{task} {metric} test"] = results["test"]["tasks"][task][metric] if results["test"] else None
    return Job(folder, keys, status, numbers)


def _rank(job: Job) -> tuple[float, int]:
    """Best validation skill first, jobs without one last, in the order of their numbers."""
    skill = job.numbers["val skill"]
    return (math.inf if skill is None else -skill, int(job.folder.name) if job.folder.name.isdigit() else 0)


def _keys(jobs: Iterable[Job]) -> list[str]:
    return list(dict.fromkeys(key for job in jobs for key in job.keys))


def _over_seeds(jobs: Sequence[Job], keys: Sequence[str]) -> list[dict[str, Any]]:
    """A row for each set of jobs that differ only in their seed."""
    groups: dict[tuple[str, ...], list[Job]] = defaultdict(list)
    for job in jobs:
        groups[tuple(job.keys.get(key, "") for key in keys)].append(job)
    columns = list(dict.fromkeys(name for job in jobs for name in job.numbers))
    rows = []
    for values, members in groups.items():
        row: dict[str, Any] = dict(zip(keys, values, strict=True)) | {"seeds": len(members)}
        for name in columns:
            found = [number for job in members if (number := job.numbers.get(name)) is not None]
            row[name] = statistics.fmean(found) if found else None
            row[f"{name} ±"] = half_interval(found)
        rows.append(row)
    return rows


def half_interval(numbers: Sequence[float]) -> float | None:
    """Half the width of the 95 % confidence interval of a mean, by Student's t; None for fewer than two numbers."""
    if len(numbers) < 2:
        return None
    from scipy.stats import t  # half a second to import: only where seeds are compared

    return float(t.ppf(0.975, len(numbers) - 1)) * statistics.stdev(numbers) / math.sqrt(len(numbers))


def _write(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    part = path.with_name(path.name + ".part")
    with part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(dict.fromkeys(name for row in rows for name in row)))
        writer.writeheader()
        writer.writerows(rows)
    os.replace(part, path)


def _show(console: Console, rows: Sequence[Mapping[str, Any]], tasks: Sequence[str], title: str) -> None:
    """Print the rows; where the terminal has no room, the tasks' figures are left to the CSV, and no figure loses its last digits."""
    table = _table(rows, tasks, title)
    if Measurement.get(console, console.options, table).minimum > console.width:
        table = _table(rows, (), f"{title}; the tasks' metrics are in the CSV beside")
    console.print(table)


def _table(rows: Sequence[Mapping[str, Any]], tasks: Sequence[str], title: str) -> Table:
    """A column a key, one for skill and one for each of `tasks`, with validation and test in one cell."""
    plain = [name for name in rows[0] if not name.endswith((" val", " test", " ±")) and name not in ("val skill", "test skill")]
    figures = [Column(head, no_wrap=True, overflow="ignore") for head in ("skill\nval / test", *(f"{task}\nval / test" for task in tasks))]
    table = Table(*(Column(name, overflow="fold") for name in plain), *figures, title=title)
    for row in rows:
        pairs = [("val skill", "test skill"), *((f"{task} val", f"{task} test") for task in tasks)]
        table.add_row(*(str(row[name]) for name in plain), *(" / ".join(_cell(row, name) for name in pair) for pair in pairs))
    return table


def _cell(row: Mapping[str, Any], name: str) -> str:
    value, half = row.get(name), row.get(f"{name} ±")
    if value is None:
        return "-"
    return f"{value:.4g}" if half is None else f"{value:.4g} ± {half:.2g}"
