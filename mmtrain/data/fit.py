"""Fitting: modalities and tasks learn from the train rows, and from nothing else."""

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from mmtrain.data.part import Fitted, Modality, Task
from mmtrain.data.problems import together
from mmtrain.errors import Problem, nearest
from mmtrain.table import Table


def fit(modalities: Mapping[str, Modality], tasks: Mapping[str, Task], train: Table) -> None:
    """Fit every part on the train rows.

    Raises:
        DataError: all problems of all parts, for example a task without a label.
    """
    train = replace(train, bad=[])  # cells that cannot be read are reported when they are encoded
    together([partial(part.fit, train) for part in (*modalities.values(), *tasks.values())])


def fitted_state(modalities: Mapping[str, Modality], tasks: Mapping[str, Task]) -> dict[str, dict[str, Any]]:
    """All that was learned from train, exactly as JSON gives it back."""
    state = {
        "modalities": {name: modality.state() for name, modality in modalities.items()},
        "tasks": {name: task.state() for name, task in tasks.items()},
    }
    return json.loads(json.dumps(state))


def load_fitted(modalities: Mapping[str, Modality], tasks: Mapping[str, Task], state: Mapping[str, Any]) -> None:
    """Take what `fitted_state` of an earlier run gave; no train rows are needed."""
    for name, modality in modalities.items():
        modality.load_state(state["modalities"][name])
    for name, task in tasks.items():
        task.load_state(state["tasks"][name])


def missing_columns(modalities: Mapping[str, Modality], tasks: Mapping[str, Task], table: Table) -> list[Problem]:
    """Say which columns of the parts the table lacks."""
    parts: dict[str, Fitted] = {f"data.modalities.{name}": part for name, part in modalities.items()}
    parts |= {f"tasks.{name}": part for name, part in tasks.items()}
    columns = table.frame.columns
    return [
        Problem(where, f"{table.file} has no column '{column}'", nearest(column, columns))
        for where, part in parts.items()
        for column in part.columns
        if column not in columns
    ]
