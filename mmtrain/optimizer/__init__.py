"""Optimizers: a model in, steps out.

An optimizer gets the model and offers `step`, `zero_grad`, `param_groups`, `state_dict` and `load_state_dict`, as torch's own do.
To add one: a module here, an export below, `configs/optimizer/<name>.yaml`, a test.
"""

from mmtrain.optimizer.adamw import AdamW

__all__ = ["AdamW"]
