"""Balancing: the losses of all tasks in, gradients out. The one line of the training loop where methods differ.

    Balancer(tasks: Mapping[str, TaskSpec], *, ...)
    backward(losses {task: scalar}, boundary=, parameters=, penalty=, scale=) -> {task: weight, or None}
    before_step()           once per batch of calls: completes `.grad` -> {task: weight} where it is known only then
    after_step(measure)     once per batch of calls           epoch_end(losses)     once per epoch, mean train losses
    notes: list[str]        for the log, before training      diagnostics()         numbers for the curves, after a step
    state_dict()            between two steps; exact: a resumed run equals an unbroken one
    looks_ahead = True      class constant: asks for `look_ahead(losses)`, the losses of the whole batch, where it comes in parts
    measures = True         class constant: asks for `measure`, which gives the losses of the same batch after the step

* **Losses** are scalars with a graph, means over a task's labelled rows, already multiplied by `tasks.X.weight`. A task without a
  labelled row is not in `losses`: it gets no weight, and changes neither another's weight nor any state. No loss and no
  penalty: nothing happens.
* **Accumulation**: `backward` may be called several times before `after_step`, once a micro-batch. A loss then is the sum over the
  micro-batch's rows divided by the number of rows in the whole batch, so that the calls add up to it. State, and the weights that
  come of it, stay the same until `after_step`, which ends the batch: it is called also where fp16 gradients overflowed and the
  optimizer did not step. Where weights follow from the losses themselves (a logarithm, a maximum), those of a part tell nothing of
  the whole: such a method looks ahead, at the price of another forward pass where `training.accumulate` is above 1, and the parts
  still equal one batch.
* **Gradients**: `.grad` receives `scale * (sum of weight * loss + penalty)`. `penalty` is what parts add beside the tasks;
  no method weighs it. `scale` is the loss scale of fp16 and must not influence weights or state.
* **State** lives in buffers, never in parameters: the model's optimizer, its decay and its clipping do not reach it. What only the
  host reads is in `get_extra_state`.
* **Processes**: where several share a batch out, a loss has the value of the whole batch and the graph of this process's rows, and
  every process has the same tasks; gradients are summed between the last `backward` and `before_step`. What follows from losses alone is
  right by itself. Who looks at gradients adds up what they come to, as `Gradients` does: `processes.added`, `Collected.join`.
* **Size**: a method that only shares out attention gives weights with mean 1, so that gradients are as large as those of the sum.

`boundary` and `parameters` are for methods that compare the tasks' gradients; loss weightings ignore them. `boundary` holds every
tensor that several tasks read (what `sharing.shared` returned, for each view), still attached to the graph, none of them in front
of another. `parameters` are all that are trained now. How a gradient method goes from losses to `.grad` at its two levels stands in
`gradients.py`; of its own it has a rule: from the Gramian of the rows to a weight a row (`by_weights`), or from the rows to their
combination. Weights of rules that average are multiplied by the number of rows: without conflict the result is the plain sum, and
an absent task changes no other's weight. A method's own solver is imported where it is built.

To add one: a class as above in `mmtrain/balancing/<name>.py`, its export here, `configs/balancing/<name>.yaml`; the laws in
`tests/balancing/test_laws.py` then test it by themselves, its values need a `tests/balancing/test_<name>.py`.
"""

from mmtrain.balancing.aligned import Aligned
from mmtrain.balancing.balancer import Balancer
from mmtrain.balancing.cagrad import CAGrad
from mmtrain.balancing.config_grad import ConFIG
from mmtrain.balancing.db_mtl import DBMTL
from mmtrain.balancing.dwa import DWA
from mmtrain.balancing.fairgrad import FairGrad
from mmtrain.balancing.famo import FAMO
from mmtrain.balancing.fixed import Fixed
from mmtrain.balancing.geometric import Geometric
from mmtrain.balancing.graddrop import GradDrop
from mmtrain.balancing.gradnorm import GradNorm
from mmtrain.balancing.gradvac import GradVac
from mmtrain.balancing.imtl_g import IMTLG
from mmtrain.balancing.imtl_l import IMTLL
from mmtrain.balancing.log import Log
from mmtrain.balancing.mgda import MGDA
from mmtrain.balancing.nash import NashMTL
from mmtrain.balancing.pcgrad import PCGrad
from mmtrain.balancing.random import Random
from mmtrain.balancing.size import Size
from mmtrain.balancing.stch import STCH
from mmtrain.balancing.uncertainty import Uncertainty
from mmtrain.balancing.upgrad import UPGrad

__all__ = [
    "DBMTL",
    "DWA",
    "FAMO",
    "IMTLG",
    "IMTLL",
    "MGDA",
    "STCH",
    "Aligned",
    "Balancer",
    "CAGrad",
    "ConFIG",
    "FairGrad",
    "Fixed",
    "Geometric",
    "GradDrop",
    "GradNorm",
    "GradVac",
    "Log",
    "NashMTL",
    "PCGrad",
    "Random",
    "Size",
    "UPGrad",
    "Uncertainty",
]
