"""Rows whose labels are their own modalities."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from mmtrain.data.dataset import Dataset
from mmtrain.data.target import Target
from mmtrain.task import Task


def pairs_only(dataset: Dataset, tasks: Mapping[str, Task]) -> Dataset:
    """The same rows; of tasks that are `paired` only those are labelled that have all modalities of the task."""
    paired = [name for name, task in tasks.items() if getattr(task, "paired", False)]
    encoded = {name: _with_all(dataset.encoded[name], [dataset.present[part] for part in tasks[name].modalities]) for name in paired}
    return replace(dataset, encoded={**dataset.encoded, **encoded})


def _with_all(target: Target, present: list[np.ndarray]) -> Target:
    there = np.logical_and.reduce(present)
    return replace(target, labelled=target.labelled & there, usable=target.usable & there)
