"""From words on the command line, or from a run folder, to a checked configuration."""

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from mmtrain.config.catalog import Catalog
from mmtrain.config.check import check
from mmtrain.config.doubt import doubts
from mmtrain.config.run import Run
from mmtrain.errors import ConfigError, Problem, RunError
from mmtrain.folder import RunFolder

# What may change when a run goes on: how long, on what machine, and where the data lies there.
RESUMABLE = ("training.epochs", "training.steps", "training.device", "data.root")


@dataclass(frozen=True)
class Composed:
    """A run that may begin: its configuration and the folder that it writes to."""

    config: Run
    folder: Path


def load(overrides: Sequence[str] = (), config_dir: Path | None = None) -> Composed:
    """Compose and check the configuration of one run.

    Raises:
        ConfigError: everything that is wrong with it.
    """
    with _uncollected():
        from mmtrain.config.compose import compose  # Hydra takes 0.15 s to import; `evaluate` and `predict` do without

        offered = Catalog.open(config_dir)
        composition = compose(overrides, offered)
        return Composed(_checked(composition.tree, composition.problems, offered), composition.folder)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the garbage collector: all that composing makes stays, and to look through it again and again takes an eighth of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def load_sweep(overrides: Sequence[str], config_dir: Path | None = None) -> tuple[Path, list[tuple[list[str], Run]]]:
    """Compose and check every combination of the values that the overrides list.

    Returns the sweep's folder and, for each job, its overrides and its configuration; job n writes to `<folder>/<n>`.

    Raises:
        ConfigError: what is wrong with any job; nothing has been trained then.
    """
    from mmtrain.config.compose import compose
    from mmtrain.config.override import jobs

    offered = Catalog.open(config_dir)
    folders: list[Path] = []
    configs: list[tuple[list[str], Run]] = []
    problems: dict[Problem, None] = {}  # a set in order: what is wrong with every job is told once
    for job in jobs(overrides):
        try:
            composition = compose(job, offered, folder="hydra.sweep.dir")
            folders.append(composition.folder)
            configs.append((job, _checked(composition.tree, composition.problems, offered)))
        except ConfigError as error:
            problems |= dict.fromkeys(error.problems)
    if problems:
        raise ConfigError(*problems)
    return folders[0], configs


def load_run(folder: Path, overrides: Sequence[str] = (), *, trust: Sequence[str] = (), rows: bool = False) -> Run:
    """Check the configuration in a run folder, with other values where given. Whom the folder trusts does not count, only `trust` does.

    With `rows` the user's tables must be there too.

    Raises:
        RunError: it is not a run folder.
        ConfigError: its configuration, or an override, cannot be used here.
    """
    tree = _read(folder) | {"trust": list(trust)}
    if overrides:
        from mmtrain.config.override import values

        for key, value in values(overrides).items():
            _set(tree, key, value)
    return check(tree, trust, rows=rows)


def again(folder: Path, overrides: Sequence[str] = (), *, trust: Sequence[str] = ()) -> Composed:
    """The configuration of an earlier run, with other values where given, to be trained in a new folder.

    Raises:
        RunError: it is not a run folder.
        ConfigError: its configuration, or an override, cannot be used here.
    """
    from mmtrain.config.compose import compose

    own = [word for word in overrides if word.startswith("hydra.")]
    config = load_run(folder, [word for word in overrides if word not in own], trust=trust, rows=True)
    name = str(config.data["name"]).replace('"', '\\"')
    composition = compose([*own, f'data.name="{name}"'], Catalog.open())
    if composition.problems:
        raise ConfigError(*composition.problems)
    return Composed(config, composition.folder)


def _checked(tree: dict[str, Any], problems: Sequence[Problem], offered: Catalog) -> Run:
    trust = tree.get("trust")
    names = [name for name in trust if isinstance(name, str)] if isinstance(trust, list) else []
    warnings = [f"{file} is never used: a built-in choice has its name; rename it" for file in offered.hidden]
    if names:
        warnings.append(f"parts may be built from {', '.join(names)}, looked up in this folder and among the installed packages")
    run = check(tree, names, told=problems)
    return replace(run, warnings=[*warnings, *doubts(run)])


def _read(folder: Path) -> dict[str, Any]:
    file = RunFolder.open(folder).config
    try:
        tree = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError):
        tree = None
    if not isinstance(tree, dict):
        raise RunError(Problem(str(file), "cannot be read", "the run folder is damaged; train again"))
    return tree


def _set(tree: dict[str, Any], key: str, value: object) -> None:
    *above, name = key.split(".")
    for step in above:
        if not isinstance(tree.get(step), dict):
            tree[step] = {}
        tree = tree[step]
    tree[name] = value
