"""Training: the settings of the loop, one step, one evaluation, and the loop that joins them.

Follow a batch: `loop.fit` draws it, `step.Step` takes it through model, losses and balancer to new weights, `meter.Meter`
turns what was predicted into loss, metrics and skill. Nothing here knows a fusion, a task or a balancing method by name.
"""

from mmtrain.training.settings import Selection, Settings

__all__ = ["Selection", "Settings"]
