"""Schedules of the learning rate: the share of training that is done in, a factor of every group's learning rate out.

A schedule is a callable without state, `factor(progress)` with progress from 0 to 1, so that nothing has to be saved to resume it.
To add one: a module here, an export below, `configs/scheduler/<name>.yaml`, a test.
"""

from collections.abc import Callable

from mmtrain.scheduler.constant import Constant
from mmtrain.scheduler.cosine import Cosine

Schedule = Callable[[float], float]

__all__ = ["Constant", "Cosine", "Schedule"]
