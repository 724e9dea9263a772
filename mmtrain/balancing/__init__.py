"""Balancing: the losses of all tasks in, gradients out. The one line of the training loop where methods differ.

    Balancer(tasks: Mapping[str, TaskSpec], *, ...)
    backward(losses {task: scalar}, boundary=, parameters=, penalty=, scale=) -> {task: weight, or None}
    after_step(measure)     once per batch of calls           epoch_end(losses)     once per epoch, mean train losses
    notes: list[str]        for the log, before training      state_dict()          exact: a resumed run equals an unbroken one
    looks_ahead = True      class constant: asks for `before_step(losses)`, the losses of the whole batch, where it comes in parts
    measures = True         class constant: asks for `measure`, which gives the losses of the same batch after the step

* **Losses** are scalars with a graph, means over a task's labelled rows, already multiplied by `tasks.X.weight`. A task without a
  labelled row is not in `losses`: it gets no weight, and changes neither another's weight nor any state. No loss and no
  penalty: nothing happens.
* **Accumulation**: `backward` may be called several times before `after_step`, once a micro-batch. A loss then is the sum over the
  micro-batch's rows divided by the number of rows in the whole batch, so that the calls add up to it. Weights stay the same
  until `after_step`, which ends the batch: it is called also where fp16 gradients overflowed and the optimizer did not step.
  Where weights follow from the losses themselves (a logarithm, a maximum), those of a part tell nothing of the whole: such a method
  looks ahead, at the price of another forward pass where `training.accumulate` is above 1, and the parts still equal one batch.
* **Gradients**: `.grad` receives `scale * (sum of weight * loss + penalty)`. `penalty` is what parts add beside the tasks;
  no method weighs it. `scale` is the loss scale of fp16 and must not influence weights or state.
* **State** lives in buffers, never in parameters: the model's optimizer, its decay and its clipping do not reach it. What only the
  host reads is in `get_extra_state`.
* **Size**: a method that only shares out attention gives weights with mean 1, so that gradients are as large as those of the sum.

`boundary` and `parameters` are for methods that compare the tasks' gradients; loss weightings ignore them. `boundary` holds every
distinct tensor that several tasks read (what `sharing.shared` returned, for each view), still attached to the graph. Level
`features` takes each task's row with `autograd.grad(loss, boundary, retain_graph=True)`, which runs through the heads only, and
then makes the one backward of the plain sum with a hook on each boundary tensor that puts the combined gradient in place of the
sum's. `parameters` are those that several tasks use: level `parameters` takes its rows there, one backward a task.

To add one: a class as above in `mmtrain/balancing/<name>.py`, its export here, `configs/balancing/<name>.yaml`; the laws in
`tests/balancing/test_laws.py` then test it by themselves, its values need a `tests/balancing/test_<name>.py`.
"""

from mmtrain.balancing.balancer import Balancer
from mmtrain.balancing.dwa import DWA
from mmtrain.balancing.famo import FAMO
from mmtrain.balancing.fixed import Fixed
from mmtrain.balancing.geometric import Geometric
from mmtrain.balancing.imtl_l import IMTLL
from mmtrain.balancing.log import Log
from mmtrain.balancing.random import Random
from mmtrain.balancing.size import Size
from mmtrain.balancing.stch import STCH
from mmtrain.balancing.uncertainty import Uncertainty

__all__ = ["DWA", "FAMO", "IMTLL", "STCH", "Balancer", "Fixed", "Geometric", "Log", "Random", "Size", "Uncertainty"]
