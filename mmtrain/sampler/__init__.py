"""Samplers: which train rows an epoch takes, and in which order.

    Sampler(rows: int, targets {t: (rows, ...)}, labelled {t: (rows,) bool}, *, ...)       encoded targets of the train rows
    sampler(seed, epoch) -> (rows,) int64                                                  numbers of train rows

An epoch is always as long as train has rows, so that epochs and steps mean the same under every sampler. The order depends on
`seed` and `epoch` alone: a run that is resumed in the middle of an epoch draws it again. Validation and test are never sampled.

To add one: a class as above in `mmtrain/sampler/<name>.py`, its export here, `configs/sampler/<name>.yaml`, a test. Names of
tasks that it takes stand in an option `tasks: list[str]`, which the configuration check looks up: they have to predict classes.
"""

from collections.abc import Callable

import numpy as np

from mmtrain.sampler.balanced import Balanced
from mmtrain.sampler.shuffle import Shuffle

Sampler = Callable[[int, int], np.ndarray]

__all__ = ["Balanced", "Sampler", "Shuffle"]
