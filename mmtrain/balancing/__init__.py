"""Balancing: the losses of all tasks in, gradients out. The one line of the training loop where methods differ.

    Balancer(tasks: Mapping[str, TaskSpec], *, ...)
    backward(losses {task: scalar}, boundary=, parameters=, penalty=, scale=) -> {task: weight, or None}
    before_step()           once per batch of calls: completes `.grad` -> {task: weight} where it is known only then
    after_step(measure)     once per batch of calls           epoch_end(losses)     once per epoch, mean train losses
    notes: list[str]        for the log, before training      diagnostics()         numbers for the curves, after a step
    state_dict()            between two steps; exact: a resumed run equals an unbroken one

* **Losses** are scalars with a graph, means over a task's labelled rows, already multiplied by `tasks.X.weight`. A task without a
  labelled row is not in `losses`: it gets no weight, and changes neither another's weight nor any state. No loss and no
  penalty: nothing happens.
* **Accumulation**: `backward` may be called several times before `after_step`, once a micro-batch. A loss then is the sum over the
  micro-batch's rows divided by the number of rows in the whole batch, so that the calls add up to it. State, and the weights that
  come of it, stay the same until `after_step`, which ends the batch: it is called also where fp16 gradients overflowed and the
  optimizer did not step.
* **Gradients**: `.grad` receives `scale * (sum of weight * loss + penalty)`. `penalty` is what parts add beside the tasks;
  no method weighs it. `scale` is the loss scale of fp16 and must not influence weights or state.
* **State** lives in buffers, never in parameters: the model's optimizer, its decay and its clipping do not reach it.

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
from mmtrain.balancing.fairgrad import FairGrad
from mmtrain.balancing.fixed import Fixed
from mmtrain.balancing.graddrop import GradDrop
from mmtrain.balancing.gradnorm import GradNorm
from mmtrain.balancing.gradvac import GradVac
from mmtrain.balancing.imtl_g import IMTLG
from mmtrain.balancing.mgda import MGDA
from mmtrain.balancing.nash import NashMTL
from mmtrain.balancing.pcgrad import PCGrad
from mmtrain.balancing.size import Size
from mmtrain.balancing.uncertainty import Uncertainty
from mmtrain.balancing.upgrad import UPGrad

__all__ = [
    "DBMTL",
    "IMTLG",
    "MGDA",
    "Aligned",
    "Balancer",
    "CAGrad",
    "ConFIG",
    "FairGrad",
    "Fixed",
    "GradDrop",
    "GradNorm",
    "GradVac",
    "NashMTL",
    "PCGrad",
    "Size",
    "UPGrad",
    "Uncertainty",
]
