"""Samplers: which train rows an epoch takes, and in which order.

    Sampler(rows: int, targets {t: (rows, ...)}, labelled {t: (rows,) bool}, *, ...)       encoded targets of the train rows
    sampler(seed, epoch) -> (rows,) int64                                                  numbers of train rows

An epoch is always as long as train has rows, so that epochs and steps mean the same under every sampler. The order depends on
`seed` and `epoch` alone: a run that is resumed in the middle of an epoch draws it again. Validation and test are never sampled.

Rows of all tasks share a batch, whose loss for a task is a mean over the rows with its label. So shares of tasks are no weights: they
say over how many rows a task's mean goes, how many batches hold none, and how often its rows are repeated.

To add one: a class as above in `mmtrain/sampler/<name>.py`, its export here, `configs/sampler/<name>.yaml`, a test. Names of
tasks that it takes stand in an option `tasks: list[str]`, which have to predict classes, or are the keys of an option
`ratio: dict[str, ...]`, which has to name all; the configuration check looks them up.
"""

from collections.abc import Callable

import numpy as np

from mmtrain.sampler.balanced import Balanced
from mmtrain.sampler.epoch import epoch_in_words
from mmtrain.sampler.equal import Equal
from mmtrain.sampler.proportional import Proportional
from mmtrain.sampler.ratio import Ratio
from mmtrain.sampler.shuffle import Shuffle
from mmtrain.sampler.temperature import Temperature

Sampler = Callable[[int, int], np.ndarray]

__all__ = ["Balanced", "Equal", "Proportional", "Ratio", "Sampler", "Shuffle", "Temperature", "epoch_in_words"]
