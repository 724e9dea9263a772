"""Rows that lack a modality without which a task can say nothing of them."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from mmtrain.data.dataset import Dataset
from mmtrain.data.target import Target
from mmtrain.task import Task


def with_needed(dataset: Dataset, tasks: Mapping[str, Task]) -> Dataset:
    """The same rows. Of a task that needs modalities, those that lack one enter no loss: it would be the same whatever is learned. In
    metrics they count, as rows that the constant answers; but of a task that is `paired` they are not even labelled."""
    encoded = {
        name: _with_all(dataset.encoded[name], [dataset.present[part] for part in task.spec.modalities], getattr(task, "paired", False))
        for name, task in tasks.items()
        if task.spec.modalities
    }
    return replace(dataset, encoded={**dataset.encoded, **encoded})


def _with_all(target: Target, present: list[np.ndarray], paired: bool) -> Target:
    there = np.logical_and.reduce(present)
    labelled = target.labelled & there if paired else target.labelled
    return replace(target, labelled=labelled, usable=target.usable & there)
