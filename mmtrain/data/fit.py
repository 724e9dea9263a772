"""Fitting: modalities and tasks learn from the train rows, and from nothing else."""

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from mmtrain.data.problems import together
from mmtrain.modality import Modality
from mmtrain.table import Table
from mmtrain.task import Task


def fit(modalities: Mapping[str, Modality], tasks: Mapping[str, Task], train: Table) -> None:
    """Fit every part on the train rows.

    Raises:
        DataError: all problems of all parts, for example a task without a label.
    """
    train = replace(train, bad=[])  # cells that cannot be read are reported when they are encoded
    calls = [modality.fit for modality in modalities.values()] + [task.fit for task in tasks.values()]
    together([partial(call, train) for call in calls])


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
