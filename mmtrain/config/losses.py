"""The loss of each task, held against what the task predicts: both classes declare it as `targets`, which is read and not imported."""

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from mmtrain.config.catalog import Catalog
from mmtrain.config.run import Node
from mmtrain.config.signature import signature
from mmtrain.errors import Problem


def check_losses(tasks: Mapping[str, Node], trust: Sequence[str]) -> list[Problem]:
    """Losses that are for something else. Where a class declares no `targets`, the task looks at its loss when it is built."""
    problems = []
    for name, task in tasks.items():
        wanted, targets = _scored(task, trust), targets_of(task.get("loss"), trust)
        if wanted and targets and wanted != targets:
            where, called = f"tasks.{name}.loss", task["loss"]["_target_"].rpartition(".")[2]
            found = f"'{called}' is a loss for {targets}, and this task predicts {wanted}"
            problems.append(Problem(where, found, f"choose loss@{where}={' or '.join(_choices(wanted)) or 'NAME'}"))
    return problems


def _scored(task: Node, trust: Sequence[str]) -> str | None:
    """What a task's loss is for: a task that has many targets a row may say so by `scored`, as a word's class; else its targets."""
    scored = signature(task["_target_"], "", trust).constants.get("scored") if task else None
    return scored if isinstance(scored, str) else targets_of(task, trust)


def targets_of(node: Any, trust: Sequence[str]) -> str | None:
    """What a part's class declares; None where it is no text, or no part."""
    if not isinstance(node, dict) or "_target_" not in node:
        return None
    targets = signature(node["_target_"], "", trust).constants.get("targets")
    return targets if isinstance(targets, str) else None


def _choices(targets: str) -> list[str]:
    """The built-in losses for such targets."""
    losses = Catalog.open().choices["loss"].values()
    return [choice.name for choice in losses if targets_of(yaml.safe_load(choice.file.read_text(encoding="utf-8")), ()) == targets]
